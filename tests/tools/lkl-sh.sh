#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl sh runs many verbs on one mount: from -c, a file, a pipe or a terminal.  A
# script that fails says in which line, and leaves a sound image.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 python3

image img 32M mkfs.ext4 -q
lkl rm -r img /lost+found
echo "from the host" >host

# words, quotes, patterns, redirections, pipes, local commands
lkl sh img -c "mkdir -p /srv/www 'a b'; write /srv/x <host; cat /srv/x >copy
	touch \"a b/new\" a\\ b/two a\\ b/two.gz # a comment
	cd 'a b'; pwd; ls; ls *o*; cd ../srv/./www/..; pwd; echo" >out 2>log && fail "echo is no verb"
cmp host copy
printf '/a b\nnew\ntwo\ntwo.gz\ntwo\ntwo.gz\n/srv\n' | cmp - out
grep -qx "lkl sh: -c:3: no such verb: 'echo'" log || { cat log; fail "no such verb"; }
lkl sh img -c 'ls "/a b" >>out; find / -type f | wc -l >count
	!echo local >>out
	cat /srv/x | grep -o host'
[ "$(tail -n 1 out)" = local ] || fail "!"
[ "$(cat count)" = 4 ] || fail "|"
seq 200000 >numbers
lkl write img /numbers <numbers
lkl sh img -c 'cat /numbers | head -n 1' | grep -qx 1 || fail "a reader that stops"
lkl sh img -c 'rm "/a b/*.gz"' 2>log && fail "a quoted pattern"
lkl sh img -c 'rm "/a b/"*.gz; find /' >out
! grep -q gz out || fail "a pattern"

# cp: host and image, image and image
mkdir tree && seq 100 >tree/file && ln -s file tree/link && chmod 711 tree
lkl sh img -c 'cp tree :/; cp :/tree :/tree2; cp :/tree2 back; chmod 700 /tree2'
same tree back
lkl sh img -c 'cp :/tree :/tree/in' 2>log && fail "a copy into itself"
grep -q "the target is in it" log || { cat log; fail "a copy into itself"; }
mkdir some && touch some/a.conf some/b.conf some/c
lkl sh img -c 'cp some/*.conf :/srv; ls /srv; rm "/srv/*"' >out 2>log && fail "a quoted pattern of rm"
printf 'a.conf\nb.conf\nwww\nx\n' | cmp - out || fail "patterns of the host"
mkdir got
lkl sh img -c 'cd srv; cp :*.conf :/tree got; rm /srv/*.conf'
[ "$(ls got | tr '\n' ' ')" = "a.conf b.conf tree " ] || fail "patterns of the image"
cd tree && (umask 077 && lkl sh ../img -c '!touch mine') && cd ..
[ "$(stat -c %a tree/mine)" = 600 ] || fail "the user's umask is lost"

# a script that fails: in line 3, and the image is sound
printf 'mkdir /one\n\nrm /none\nmkdir /two\n' >script
status=0
lkl sh img script >out 2>log || status=$?
[ $status = 1 ] || fail "status $status"
grep -qx "lkl sh: script:3: cannot remove 'img:/none': No such file or directory" log ||
	{ cat log; fail "no line number"; }
grep -qx "lkl sh: script:3: 'rm' failed, what follows is left out" log || { cat log; fail "log"; }
[ "$(lkl ls -d img /one)" = /one ] || fail "what came before is lost"
lkl ls -d img /two 2>log && fail "it went on"
check ext4 img
sed -i '1iset +e' script
lkl sh img <script 2>log && fail "no failure"
[ "$(lkl ls -d img /two)" = /two ] || fail "set +e"
status=0
lkl sh img -c 'ls -x; !false' >out 2>&1 || status=$?
[ $status = 1 ] || fail "status $status of a bad option"
lkl sh img -c '!false' 2>log && fail "a local command that fails"
lkl sh img -c 'ls "/x' 2>log && fail "a quote"
grep -qx "lkl sh: -c:1: a quote does not end" log || fail "a quote"
lkl sh img -c 'ls >' 2>log && fail "no file"
lkl sh img -c 'cat /srv/x >/nonexistent/x' 2>log && fail "a bad redirection"
grep -q "cannot open '/nonexistent/x': No such" log || { cat log; fail "redirection"; }

# read-only, with a journal or without
before=$(sha256sum <img)
lkl sh -r img -c 'ls /' >out
lkl sh -r img -c 'rm /one' 2>log && fail "-r"
grep -q "'rm' changes the image" log || fail "-r"
[ "$(sha256sum <img)" = "$before" ] || fail "-r changes the image"
[ -z "$(lkl sh img -c '')" ] || fail "an empty script"
refuses 2 "cannot open 'none': No such .*" lkl sh none -c ls
refuses 2 "cannot open 'none': No such .*" lkl sh img none

# what comes through a pipe is run at once, and a verb reads what follows it
mkfifo pipe
lkl sh img <pipe >out &
exec 3>pipe
printf 'pwd\nls -d /one\n' >&3
until grep -q one out; do sleep 0.01; done
printf 'write /text\nfirst\n' >&3
exec 3>&-
wait $!
[ "$(lkl cat img /text)" = first ] || fail "a verb that reads the script"

# edit in a script, and names that are hostile
VISUAL="sed -i s/from/to/" lkl sh img -c 'edit /srv/x; cat /srv/x' | grep -qx "to the host" ||
	fail "edit"
lkl sh img -c $'touch "/a\tb" "/\033[31m"; rm /?31m' 2>log && fail "FNM"
lkl sh img -c $'rm "/a\tb" /*31m'

# commands of the host get a signal when nobody reads
lkl sh img -c '! yes | head -n 1' >out 2>log
[ ! -s log ] || { cat log; fail "SIGPIPE"; }

lkl truncate -s 100G img /holes
# typed: completion of verbs and paths, history, an interrupt
cat >type.py <<'END'
import os, pty, sys, termios, time
pid, fd = pty.fork()
if not pid:
    os.execvp("lkl", ["lkl", "sh", "img"])
seen = b""
def until(text):
    global seen, skipped
    while text not in seen:
        data = os.read(fd, 4096)
        if not data:
            sys.exit("no %r in %r" % (text, seen))
        seen += data
    skipped = seen[:seen.index(text)]
    seen = seen[seen.index(text) + len(text):]
def prompt(where):
    until(b"lkl:%s> " % where)
    # what is typed before the line editor takes over, the terminal echoes
    while termios.tcgetattr(fd)[3] & termios.ICANON:
        time.sleep(0.01)
def worker():
    return int(open(f"/proc/{pid}/task/{pid}/children").read())
def used():  # time of the processor, in ticks
    return sum(map(int, open(f"/proc/{worker()}/stat").read().split()[13:15]))
prompt(b"/")
os.write(fd, b"mkd\t/typed\n")
prompt(b"/")
os.write(fd, b"cat /sr\tx\n")
until(b"to the host")
prompt(b"/")
os.write(fd, b"cd srv\n")
prompt(b"srv")
os.write(fd, b"rm none\n")
until(b"lkl sh: cannot remove 'img:none': No such")
prompt(b"srv")
os.write(fd, b"pwd\n")
until(b"\n/srv")
prompt(b"srv")
os.write(fd, b"\x10\x10\x10\n")  # up, three times: cd srv
until(b"lkl sh: cannot change to")
prompt(b"srv")
# an interrupt: of a line that is being typed, of a verb with what follows it, and the
# session goes on
os.write(fd, b"rm /on\x03")
prompt(b"srv")
os.write(fd, b"pwd\n")
until(b"\n/srv")
prompt(b"srv")
os.write(fd, b"sum /holes; ! echo gone on\n")
until(b"gone on\r\n")
begin = used()
while used() < begin + 10:
    time.sleep(0.01)
os.write(fd, b"\x03")
prompt(b"srv")
if b"gone on" in skipped or b"/holes" in skipped:
    sys.exit(f"after an interrupt: {skipped}")
# what is typed is for a verb, but its process cannot read the terminal
os.write(fd, b"write /in\n")
until(b"/in\r\n")
while not termios.tcgetattr(fd)[3] & termios.ICANON:  # the end is to be one
    time.sleep(0.01)
os.write(fd, b"text\n\x04")
prompt(b"srv")
os.write(fd, b"cat /in\n")
until(b"cat /in\r\ntext\r\n")
prompt(b"srv")
for n in os.listdir(f"/proc/{worker()}/fd"):
    if os.readlink(f"/proc/{worker()}/fd/{n}").startswith("/dev/pts/"):
        flags = open(f"/proc/{worker()}/fdinfo/{n}").read().split()[3]
        if int(flags, 8) & 3 != os.O_WRONLY:
            sys.exit(f"it can read the terminal by {n}")
os.write(fd, b"exit\n")
try:
    while os.read(fd, 4096):
        pass
except OSError:  # the other end is closed
    pass
status = os.waitpid(pid, 0)[1]
sys.exit(status != 0)
END
HOME=$TMP timeout 60 python3 type.py || fail "typed"
[ "$(lkl ls -d img /typed)" = /typed ] || fail "a completed verb"
[ "$(stat -c %a .lkl_history)" = 600 ] || fail "the history is not private"
grep -q mkdir .lkl_history || fail "no history"
check ext4 img
