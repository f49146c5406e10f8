# SPDX-License-Identifier: Apache-2.0
# bash completion of bowline-sim; the options are those that its --help names.
_bowline_sim()
{
    local word=${COMP_WORDS[COMP_CWORD]} offer="" verb=""
    COMPREPLY=()
    if [[ $word == -* ]]; then
        offer=$("$1" ${verb:+"$verb"} --help 2>/dev/null |
            grep -oE -e '--[a-z][a-z-]+' | sort -u)
    fi
    [[ -z $offer ]] ||
        mapfile -t COMPREPLY < <(compgen -W "$offer" -- "$word")
}
complete -o default -F _bowline_sim bowline-sim
