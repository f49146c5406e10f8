# SPDX-License-Identifier: Apache-2.0
# bash completion of bowline-device; the options are those that its --help names.
_bowline_device()
{
    local word=${COMP_WORDS[COMP_CWORD]} offer="" verb=""
    case ${COMP_WORDS[1]} in
    provision|run|show|cut|set|consent) ((COMP_CWORD > 1)) && verb=${COMP_WORDS[1]} ;;
    esac
    COMPREPLY=()
    if [[ $word == -* ]]; then
        offer=$("$1" ${verb:+"$verb"} --help 2>/dev/null |
            grep -oE -e '--[a-z][a-z-]+' | sort -u)
    elif ((COMP_CWORD == 1)); then
        offer="provision run show cut set consent"
    fi
    [[ -z $offer ]] ||
        mapfile -t COMPREPLY < <(compgen -W "$offer" -- "$word")
}
complete -o default -F _bowline_device bowline-device
