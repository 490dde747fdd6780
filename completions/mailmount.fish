# SPDX-License-Identifier: GPL-3.0-or-later
# fish completion for mailmount

function __mailmount_options
    # What stands before the last comma of the list is kept.
    set -l token (commandline -ct | string replace -r '^-o' '')
    set -l head (string match -r '^.*,' -- $token)
    set -l part (string replace -r '^.*,' '' -- $token)
    switch $part
        case 'cache=*' 'cafile=*' 'cert=*' 'key=*' 'log=*'
            set -l name (string replace -r '=.*' '=' -- $part)
            for path in (__fish_complete_path (string replace -r '^[^=]*=' '' -- $part))
                echo $head$name$path
            end
            return
        case 'uid=*'
            for user in (__fish_complete_users | string replace -r '\t.*' '')
                echo {$head}uid=$user
            end
            return
        case 'gid=*'
            for group in (__fish_complete_groups | string replace -r '\t.*' '')
                echo {$head}gid=$group
            end
            return
    end
    for line in ro\t'read-only (default)' \
        names=subject\t'DATE_SUBJECT_NUMBER.eml (default)' \
        names=uid\t'NUMBER.eml' \
        cache=\t'where to keep the index and what was read' \
        cache=none\t'keep nothing on disk' \
        cache_size=\t'how much of what was read is kept (2G)' \
        cache_free=\t'how much of the disk is left free' \
        cafile=\t'certificate authorities to trust' \
        fingerprint=\t'trust the server certificate that has it' \
        cert=\t'our own certificate' \
        key=\t'the private key of cert=' \
        proxy=\t'socks5h:// or http://[USER:PASSWORD@]HOST:PORT' \
        proxy=none\t'not the one of the environment' \
        tunnel=\t'command that leads to the server' \
        tls=implicit\t'TLS from the first octet (imaps://)' \
        tls=starttls\t'STARTTLS (imap://)' \
        tls=none\t'clear text' \
        connections=\t'connections at most' \
        timeout=\t'seconds to wait for the server' \
        refresh=\t'seconds after which a listing is compared' \
        folders=\t'only these folders: globs, separated by colons' \
        exclude=\t'not these folders: globs, separated by colons' \
        subscribed\t'only subscribed folders' \
        log=\t'log to this file' \
        password_command=\t'command that prints the password' \
        token_command=\t'command that prints an OAuth2 token' \
        auth=\t'sign in this way alone' \
        compress\t'compress the connection' \
        bandwidth=\t'octets received per second at most' \
        daily_limit=\t'octets received within a day at most' \
        daily_limit=gmail\t'2.5 GB, what Gmail allows' \
        offline\t'never connect, show what is known' \
        allow_other\t'let other users in' \
        uid=\t'owner of all files' \
        gid=\t'group of all files' \
        umask=\t'permission bits to take away'
        echo $head$line
    end
end

set -l commands cache status fetch verify
set -l mounts "not __fish_seen_subcommand_from $commands"
complete -c mailmount -n __fish_is_first_token -f -a cache -d 'What the cache holds'
complete -c mailmount -n '__fish_seen_subcommand_from cache' -l purge -d 'Remove the messages'
complete -c mailmount -n __fish_is_first_token -f -a status -d 'What mounts are doing'
complete -c mailmount -n "__fish_seen_subcommand_from $commands" -x -a '(__fish_complete_directories)'
complete -c mailmount -n __fish_is_first_token -f -a verify -d 'Whether a copy is what the mount shows'
complete -c mailmount -n __fish_is_first_token -f -a fetch -d 'Make messages available offline'
complete -c mailmount -n '__fish_seen_subcommand_from fetch verify' -s q -l quiet -d 'Less output'
complete -c mailmount -n '__fish_seen_subcommand_from status verify' -l json -d 'For programs'
complete -c mailmount -n "$mounts" -s o -x -a '(__mailmount_options)' -d 'Options, separated by commas'
complete -c mailmount -n "$mounts" -s f -d 'Stay in the foreground'
complete -c mailmount -n "$mounts" -s d -d 'Log everything, in the foreground'
complete -c mailmount -s h -l help -d 'Print a summary'
complete -c mailmount -n "$mounts" -s V -l version -d 'Print the version'
complete -c mailmount -n "$mounts; and not string match -q '*://*' -- (commandline -opc)" -f -a 'imaps:// imap://' -d SOURCE
complete -c mailmount -n "$mounts; and string match -q '*://*' -- (commandline -opc)" -x -a '(__fish_complete_directories)' -d MOUNTPOINT
