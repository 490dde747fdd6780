# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for mailmount

_mailmount_option()
{
    # The word behind -o is a comma list: complete its last part.
    local list=$1 head='' part
    case $list in
        *,*) head=${list%,*},; part=${list##*,} ;;
        *) part=$list ;;
    esac
    local options='ro names= cache= cache_size= cache_free= cafile= fingerprint= cert= key= proxy= tunnel= tls=
        connections= timeout= refresh= folders= exclude= subscribed log= password_command= token_command= auth=
        compress bandwidth= daily_limit= offline allow_other uid= gid= umask= noauto nofail _netdev noexec noatime'
    local prefix='' words='' value
    case $part in
        names=*) prefix=names=; words='subject uid' ;;
        proxy=*) prefix=proxy=; words='socks5h:// socks5:// http:// none'; compopt -o nospace ;;
        daily_limit=*) prefix=daily_limit=; words='gmail none' ;;
        tls=*) prefix=tls=; words='implicit starttls none' ;;
        auth=*)
            prefix=auth=
            words='EXTERNAL GSSAPI SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1
                OAUTHBEARER XOAUTH2 CRAM-MD5 PLAIN LOGIN'
            ;;
        uid=*) prefix=uid=; words=$(compgen -u) ;;
        gid=*) prefix=gid=; words=$(compgen -g) ;;
        cache=* | cafile=* | cert=* | key=* | log=*)
            prefix=${part%%=*}=
            compopt -o filenames
            local IFS=$'\n'
            words=$(compgen -f -- "${part#*=}")
            ;;
        *=*) return ;;
        *) words=$options; compopt -o nospace ;;
    esac
    value=${part#"$prefix"}
    local found
    while IFS= read -r found; do
        [[ -n $found ]] && COMPREPLY+=("$head$prefix$found")
    done < <(compgen -W "$words" -- "$value")
    # Readline takes '=' for a word's end: it wants only what follows the last one.
    if [[ $COMP_WORDBREAKS == *=* && $list == *=* ]]; then
        local cut=${list%"${list##*=}"} i
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]=${COMPREPLY[i]#"$cut"}
        done
    fi
}

_mailmount_commands='cache status fetch verify'

# The words behind a command: its options, and directories.
_mailmount_command()
{
    local options=''
    case $1 in
        cache) options='--purge --help' ;;
        status) options='--json --help' ;;
        fetch) options='--quiet --help' ;;
        verify) options='--quiet --json --help' ;;
    esac
    if [[ $2 == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$2")
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$2")
    fi
}

_mailmount()
{
    COMPREPLY=()
    # Words as the shell has them, not cut at '=' and ':'.
    local line=${COMP_LINE:0:COMP_POINT}
    local -a words
    read -ra words <<< "$line"
    [[ $line == *[[:blank:]] ]] && words+=('')
    local n=${#words[@]}
    ((n > 0)) || return
    local cur=${words[n - 1]} prev='' cut=''
    ((n > 1)) && prev=${words[n - 2]}

    if ((n > 2)) && [[ " $_mailmount_commands " == *" ${words[1]} "* ]]; then
        _mailmount_command "${words[1]}" "$cur"
    elif [[ $prev == -o ]]; then
        _mailmount_option "$cur"
    elif [[ $cur == -o?* ]]; then
        return
    elif [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W '-o -f -d -h --help -V --version' -- "$cur")
    elif [[ $line == *://* && $cur != *://* ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
    elif [[ $line != *://* ]]; then
        compopt -o nospace
        local commands=''
        ((n == 2)) && commands=$_mailmount_commands
        mapfile -t COMPREPLY < <(compgen -W "imaps:// imap:// $commands" -- "$cur")
        # Readline takes ':' for a word's end, too.
        if [[ $COMP_WORDBREAKS == *:* && $cur == *:* ]]; then
            COMPREPLY=("${COMPREPLY[@]#"${cut:=${cur%:*}:}"}")
        fi
    fi
}

complete -F _mailmount mailmount
