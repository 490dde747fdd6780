// SPDX-License-Identifier: GPL-3.0-or-later
// hoodiecrow PORT USERS: hoodiecrow-imap with the extensions that it has, in its memory.
// USERS is JSON, {"name": "password"}; all of them see the same mail.
'use strict';

const hoodiecrow = require('hoodiecrow-imap');

const [port, users] = process.argv.slice(2);
const server = hoodiecrow({
  plugins: ['ID', 'IDLE', 'LITERALPLUS', 'NAMESPACE', 'UNSELECT', 'UIDPLUS', 'ENABLE', 'CONDSTORE', 'SASL-IR',
    'AUTH-PLAIN', 'SPECIAL-USE', 'MOVE'],
  users: Object.fromEntries(Object.entries(JSON.parse(users)).map(([name, password]) => [name, { password }])),
  storage: { INBOX: { messages: [] }, '': { separator: '/', folders: {} } },
});
server.listen(Number(port), '127.0.0.1');
