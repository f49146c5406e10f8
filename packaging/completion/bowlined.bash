# SPDX-License-Identifier: Apache-2.0
# bash completion of bowlined; the options are those that its --help names.
_bowlined()
{
    local word=${COMP_WORDS[COMP_CWORD]} offer="" verb=""
    case ${COMP_WORDS[1]} in
    backup|restore) ((COMP_CWORD > 1)) && verb=${COMP_WORDS[1]} ;;
    esac
    COMPREPLY=()
    if [[ $word == -* ]]; then
        offer=$("$1" ${verb:+"$verb"} --help 2>/dev/null |
            grep -oE -e '--[a-z][a-z-]+' | sort -u)
    elif ((COMP_CWORD == 1)); then
        offer="backup restore"
    fi
    [[ -z $offer ]] ||
        mapfile -t COMPREPLY < <(compgen -W "$offer" -- "$word")
}
complete -o default -F _bowlined bowlined
