# SPDX-License-Identifier: BSD-2-Clause
# Completion of ksactl, from its help: tests/support/completion.py writes this file.
_ksactl()
{
        local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} names=
        COMPREPLY=()
        # --config=FILE is three words.
        if [[ $word == = ]]; then
                word=
        elif [[ $before == = ]]; then
                before=${COMP_WORDS[COMP_CWORD - 2]}
        fi
        case $COMP_CWORD:$command in
        1:*) names='options check enable disable status explain keys credential accounts --help --version' ;;
        2:keys) names='show refresh purge convert --help' ;;
        2:credential) names='init show renew --help' ;;
        2:accounts) names='sync list show disable enable export rename-cluster restore --help' ;;
        *:keys | *:credential | *:accounts) command+=" ${COMP_WORDS[2]}" ;;
        esac
        case $before in
        --config | --token-file) command=FILE ;;
        --user | --service | --rhost | --service-user | --now | --if-older | --duration) return ;;
        esac
        [[ -n $names ]] || case $command in
        'options') names='--json --help' ;;
        'check') names='--host --fix --config --json --help' ;;
        'enable') names='sshd sudo --dry-run --config --help' ;;
        'disable') names='--help' ;;
        'status') names='--offline --config --json --help' ;;
        'explain') names='--token-file --user --service --rhost --service-user --now --offline --config --json --help' ;;
        'keys show') names='--config --json --help' ;;
        'keys refresh') names='--all --if-older --if-due --cooldown --config --help' ;;
        'keys purge') names='--config --help' ;;
        'keys convert') names='--help' ;;
        'credential init') names='--duration --config --help' ;;
        'credential show') names='--config --json --help' ;;
        'credential renew') names='--all --if-due --config --help' ;;
        'accounts sync') names='--dry-run --force --new-registry --config --json --help' ;;
        'accounts list') names='--all --config --json --help' ;;
        'accounts show') names='--config --json --help' ;;
        'accounts disable') names='--config --json --help' ;;
        'accounts enable') names='--config --json --help' ;;
        'accounts export') names='--config --json --help' ;;
        'accounts rename-cluster') names='--config --json --help' ;;
        'accounts restore') names='--help' ;;
        esac
        if [[ $word == -* || -n $names && $command != FILE ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
        fi
        case $command in
        FILE | 'keys convert' | 'accounts restore')
                compopt -o filenames 2>/dev/null
                mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
                ;;
        esac
}
complete -F _ksactl ksactl
