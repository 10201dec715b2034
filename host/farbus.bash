# SPDX-License-Identifier: BSD-2-Clause
# Completion for bash: . host/farbus.bash

_farbus() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=

	case $before in
	-i | --interface)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net)" -- "$word")
		return
		;;
	-k | --key | -c | --config | -s | --serial | -w | --write | --disk | --cdrom)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	esac
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "console discover keygen replay send serve trace --help" -- "$word")
		return
	fi
	case ${COMP_WORDS[1]} in
	console) options="--interface --key --insecure --watch --take --escape --quiet --help" ;;
	discover) options="--interface --key --insecure --time --help" ;;
	keygen) options="--help" ;;
	replay)
		options="--model --port --disk --cdrom --geometry --peer --interface --key --insecure
			--fast --help"
		;;
	send) options="--interface --key --insecure --check --help" ;;
	serve) options="--config --interface --check --help" ;;
	trace) options="--interface --key --insecure --serial --write --count --help" ;;
	esac
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
	elif [[ ${COMP_WORDS[1]} == @(keygen|replay|send) ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}
complete -o filenames -F _farbus farbus
