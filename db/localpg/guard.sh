# Runs a private PostgreSQL server for as long as standard input stays open.
#
#   guard.sh DIR keep|remove INITDB INITDB-OPTIONS SERVER ARGUMENT...
#
# Works in DIR: creates the cluster DIR/pgdata with INITDB unless it exists, and runs SERVER in it. Nothing is ever
# written to standard input: its other end belongs to one process, which closes it to stop the server, and which the
# system closes it for when that process dies, however it dies. Then the server is stopped, fast, or at once, or by
# force. However the server ends, "remove" deletes DIR.
set -uf
dir=$1 afterwards=$2 initdb=$3 initdb_options=$4
shift 4

# A signal meant for the whole service must not end the guard before the server.
trap '' HUP INT TERM

# The shell gives commands in the background /dev/null as standard input; the pipe keeps a number of its own.
exec 3<&0 </dev/null

# guarded runs a command to its end, or stops it at the end of the pipe.
guarded() {
	"$@" 3<&- &
	child=$!
	stop_at_eof "$child" &
	watcher=$!
	wait "$child"
	status=$?
	kill -s KILL "$watcher" 2>/dev/null
	return "$status"
}

# Each signal is sent again every second: a command that has only just begun may still ignore it.
stop_at_eof() {
	read -r _ <&3
	for signal in INT QUIT KILL; do
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			kill -s "$signal" "$1" 2>/dev/null || return
			sleep 1
		done
	done
}

# The cluster gets its name when it is complete, so that a start that was cut short leaves no half of one.
create() {
	[ -d pgdata ] && return
	rm -rf pgdata.new
	# shellcheck disable=SC2086 # the options are words
	guarded "$initdb" -D pgdata.new $initdb_options && mv pgdata.new pgdata
}

create && guarded "$@"
status=$?
if [ "$afterwards" = remove ]; then
	cd /
	# A process of initdb's that is about to end may still have written a file.
	rm -rf "$dir" 2>/dev/null || { sleep 1; rm -rf "$dir"; }
fi
exit "$status"
