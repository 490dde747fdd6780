// SPDX-License-Identifier: GPL-3.0-or-later
// wildduck PORT USERS: wildduck's IMAP layer (imap-core) over a store in memory, as its own tests have one.
// USERS is JSON, {"name": "password"}; all of them see the same mail.
'use strict';

const { EventEmitter } = require('events');
const { IMAPServer, imapHandler } = require('wildduck/imap-core');
const parseMimeTree = require('wildduck/imap-core/lib/indexer/parse-mime-tree');

const [port, passwords] = process.argv.slice(2);
const users = JSON.parse(passwords);
const folders = new Map();

function addFolder(path) {
  folders.set(path, { _id: path, path, uidValidity: 1 + Math.floor(Date.now() / 1000), uidNext: 1, modifyIndex: 1,
    messages: [], journal: [] });
}
addFolder('INBOX');

// What changed in which folder, for the sessions that have it open.
class Notifier extends EventEmitter {
  constructor() {
    super();
    this.setMaxListeners(0);
  }

  addListener(session, handler) {
    return this.on(session.user.id, handler);
  }

  removeListener(session, handler) {
    return this.off(session.user.id, handler);
  }

  note(path, entries) {
    const folder = folders.get(path);
    for (const entry of entries) {
      entry.modseq = ++folder.modifyIndex;
      folder.journal.push(entry);
    }
    setImmediate(() => Object.keys(users).forEach(user => this.emit(user)));
  }

  getUpdates(path, modifyIndex, callback) {
    const folder = folders.get(path);
    return folder ? callback(null, folder.journal.filter(entry => entry.modseq > modifyIndex)) :
      callback(null, 'NONEXISTENT');
  }
}

const quiet = { info() {}, debug() {}, error: console.error };
const server = new IMAPServer({ logger: quiet, secure: false, disableSTARTTLS: true,
  maxMessage: 64 << 20, id: { name: 'wildduck' } });
server.notifier = new Notifier();

function inFolder(path, callback, act, missing = 'NONEXISTENT') {
  const folder = folders.get(path);
  return folder ? act(folder) : callback(null, missing);
}

server.onAuth = ({ username, password }, session, callback) =>
  callback(null, users[username] === password && { user: { id: username, username } });
server.onList = server.onLsub = (query, session, callback) => callback(null, folders);
server.onSubscribe = server.onUnsubscribe = (path, session, callback) =>
  inFolder(path, callback, () => callback(null, true));
server.onCreate = (path, session, callback) => {
  if (folders.has(path)) {
    return callback(null, 'ALREADYEXISTS');
  }
  addFolder(path);
  return callback(null, true);
};
server.onDelete = (path, session, callback) => inFolder(path, callback, () => {
  folders.delete(path);
  callback(null, true);
});
server.onOpen = (path, session, callback) => inFolder(path, callback, folder =>
  callback(null, { _id: path, uidValidity: folder.uidValidity, uidNext: folder.uidNext,
    modifyIndex: folder.modifyIndex, uidList: folder.messages.map(message => message.uid) }));
server.onStatus = (path, session, callback) => inFolder(path, callback, folder =>
  callback(null, { messages: folder.messages.length, uidNext: folder.uidNext, uidValidity: folder.uidValidity,
    highestModseq: folder.modifyIndex,
    unseen: folder.messages.filter(message => !message.flags.includes('\\Seen')).length }));
server.onAppend = (path, flags, date, raw, session, callback) => inFolder(path, callback, folder => {
  const message = { uid: folder.uidNext++, modseq: folder.modifyIndex + 1, flags,
    idate: (date && new Date(date)) || new Date(), mimeTree: parseMimeTree(raw) };
  folder.messages.push(message);
  server.notifier.note(path, [{ command: 'EXISTS', uid: message.uid }]);
  callback(null, true, { uidValidity: folder.uidValidity, uid: message.uid });
}, 'TRYCREATE');
server.onStore = (path, update, session, callback) => inFolder(path, callback, folder => {
  for (const message of folder.messages.filter(one => update.messages.includes(one.uid))) {
    const others = message.flags.filter(flag => !update.value.includes(flag));
    message.flags = update.action === 'remove' ? others : update.action === 'set' ? update.value :
      others.concat(update.value);
    message.modseq = folder.modifyIndex + 1;
    server.notifier.note(path, [{ command: 'FETCH', uid: message.uid, flags: message.flags }]);
  }
  callback(null, true, []);
});
server.onExpunge = (path, update, session, callback) => inFolder(path, callback, folder => {
  const gone = folder.messages.filter(message => message.flags.includes('\\Deleted') &&
    (!update.isUid || update.messages.includes(message.uid)));
  folder.messages = folder.messages.filter(message => !gone.includes(message));
  for (const { uid } of gone) {
    session.writeStream.write(session.formatResponse('EXPUNGE', uid));
  }
  server.notifier.note(path, gone.map(({ uid }) => ({ command: 'EXPUNGE', ignore: session.id, uid })));
  callback(null, true);
});
server.onFetch = (path, options, session, callback) => inFolder(path, callback, folder => {
  const wanted = folder.messages.filter(message => options.messages.includes(message.uid) &&
    !(options.changedSince && message.modseq <= options.changedSince));
  const next = () => {
    const message = wanted.shift();
    if (!message) {
      return callback(null, true);
    }
    const values = session.getQueryResponse(options.query, message);
    return session.writeStream.write(imapHandler.compileStream(session.formatResponse('FETCH', message.uid,
      { query: options.query, values })), () => setImmediate(next));
  };
  next();
});
server.onSearch = (path, options, session, callback) => inFolder(path, callback, folder => {
  const found = folder.messages.filter(message => options.query.every(term =>
    term.key !== 'uid' || [].concat(term.value).includes(message.uid)));
  callback(null, { uidList: found.map(message => message.uid),
    highestModseq: Math.max(0, ...found.map(message => message.modseq)) });
});
server.on('error', error => console.error(error.message));
server.listen(Number(port), '127.0.0.1');
