# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Programs for Windows, under Wine.  Source it after tools.sh.

WINDOWS=${WINDOWS:-$(cd "$BIN/.." && pwd)/windows}
PATH=$PATH:/usr/lib/wine
[ -e "$WINDOWS/tests/portable.exe" ] ||
	skip "no library for Windows here: make HOST=windows"
need wine64 wineserver64

# Names of the host are UTF-8 for Wine only if the locale says so.
export WINEDEBUG=-all DISPLAY="" LC_ALL=C.UTF-8
# Wine's server stays until the test ends: by itself it ends three seconds after a
# program, and one that begins at that moment fails.
end_wine() {
	wineserver64 -k || true
	wineserver64 -w
	cleanup
}
trap end_wine EXIT

# Wine's directory takes long to make, and all tests have it.
if [ ! -e "$WINDOWS/wine" ]; then
	export WINEPREFIX=$WINDOWS/wine.new
	rm -rf "$WINEPREFIX"
	wine64 cmd /c ver >wine.log 2>&1 || {
		cat wine.log
		skip "Wine does not run here: $(tail -n 1 wine.log)"
	}
	wineserver64 -w
	mv "$WINEPREFIX" "$WINDOWS/wine"
fi
export WINEPREFIX=$WINDOWS/wine
wineserver64 -p || fail "Wine's server does not start"

# windows TOOL ARGUMENT...
windows() {
	wine64 "$WINDOWS/bin/$1.exe" "${@:2}"
}

# exits STATUS TOOL ARGUMENT...: what it says is in tool.log
exits() {
	local want=$1 status=0
	shift
	windows "$@" >tool.log 2>&1 || status=$?
	[ $status = "$want" ] || { cat tool.log; fail "$*: exit status $status"; }
}

# quiet TOOL ARGUMENT...: nothing may be said
quiet() {
	exits 0 "$@"
	[ ! -s tool.log ] || { cat tool.log; fail "$* has something to say"; }
}
