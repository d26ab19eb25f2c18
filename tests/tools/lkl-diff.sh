#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl diff says about two images, and about an image and a directory, what GNU diff
# says about two directories, with its exit statuses; attributes and times if that is
# asked for.

. "$(dirname "$0")/../common/tools.sh"
need python3 mkfs.ext4 mkfs.xfs diff

# two trees that differ in everything that can, in a way that the seed gives
cat >make.py <<'END'
import os, random, shutil, sys
rng = random.Random(int(sys.argv[1]))
def fill(path, size):
    with open(path, "wb") as f:
        f.truncate(size)
        for _ in range(rng.randrange(4)):
            f.seek(rng.randrange(size + 1))
            f.write(rng.randbytes(min(size - f.tell(), rng.randrange(70000))))
dirs = ["A"]
os.mkdir("A")
for n in range(12):
    dirs.append(os.path.join(rng.choice(dirs), f"d{n}"))
    os.mkdir(dirs[-1])
for n in range(150):
    path = os.path.join(rng.choice(dirs), f"{rng.choice('aAbz.-_')}{n}")
    if rng.random() < 0.15:
        os.symlink(f"to{n}", path)
    else:
        fill(path, rng.choice([0, 1, 4095, 4096, 100000, rng.randrange(3000000)]))
shutil.copytree("A", "B", symlinks=True)
for n in range(40):
    names = sorted(os.path.join(d, x) for d, ds, fs in os.walk("B") for x in ds + fs)
    path = rng.choice(names)
    what = rng.randrange(6)
    if what < 3 and os.path.isfile(path) and not os.path.islink(path):
        size = os.path.getsize(path)
        with open(path, "r+b") as f:
            if what == 0 and size:      # one byte, which may be the same
                f.seek(rng.randrange(size))
                f.write(rng.randbytes(1))
            elif what == 1:             # one more, or less
                f.truncate(max(0, size + rng.choice([-1, 1, -5000, 5000])))
            elif size:                  # a stretch of zeros, which may have been zeros
                f.seek(size // 2)
                f.write(bytes(min(size - size // 2, 10000)))
    elif what == 3:
        shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
    elif what == 4:
        shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        rng.choice([os.mkdir, lambda p: os.symlink("new", p), lambda p: fill(p, 10)])(path)
    else:
        fill(path + rng.choice("0z!"), 10) if not os.path.exists(path + "0") else None
END
into() {
	image "$2" 400M mkfs."$3" -q
	cptofs -i "$2" "$1/." /
}

# expect STATUS FILE COMMAND...
expect() {
	local want=$1 file=$2 status=0
	shift 2
	"$@" >have 2>err || status=$?
	[ $status = "$want" ] && [ ! -s err ] || { cat have err; fail "$*: status $status, not $want"; }
	diff "$file" have || fail "$*"
}

: >nothing
for seed in 1 2 3 4; do
	rm -rf A B
	python3 make.py $seed
	diff -rq --no-dereference A B >want && fail "they are the same"
	into A a.img ext4
	into B b.img xfs
	sed 's,\bA/,a.img:/,g; s,in A:,in a.img:/:,; s,\bB/,b.img:/,g; s,in B:,in b.img:/:,' want >images
	sed 's,\bA/,a.img:/,g; s,in A:,in a.img:/:,' want >first
	sed 's,\bB/,b.img:/,g; s,in B:,in b.img:/:,' want >second
	expect 1 images lkl diff -x lost+found a.img b.img
	expect 1 first lkl diff -x lost+found a.img B
	expect 1 second lkl diff A b.img
	expect 0 nothing lkl diff -x lost+found a.img A/
	[ $seed = 1 ] || continue
	diff -rqs --no-dereference A B >want || true
	sed 's,\bA/,a.img:/,g; s,in A:,in a.img:/:,' want >all
	expect 1 all lkl diff -s -x lost+found a.img B
	# a directory, and a file, of each
	dir=$(cd A && for d in */; do [ ! -d "../B/$d" ] || { echo "${d%/}"; break; }; done)
	diff -rq --no-dereference "A/$dir" "B/$dir" >want && status=0 || status=1
	sed 's,A/,a.img:/,; s,B/,b.img:/,' want >some
	expect "$status" some lkl diff "a.img:/$dir" "b.img:/$dir"
	sed 's,A/,a.img:/,' want >some
	expect "$status" some lkl diff "a.img:/$dir" "B/$dir/"
done
printf one >one
printf two >two
lkl sh a.img -c 'cp one :/one'
echo "Files a.img:/one and two differ" >want
expect 1 want lkl diff a.img:/one two
expect 0 nothing lkl diff a.img:/one one
# the same file twice has two names, hard links or not
ln one A/link1
ln one A/link2
cp --remove-destination one B/link1
cp one B/link2
into A a.img ext4
lkl diff -x lost+found a.img B >have || true
! grep 'link[12]' have || fail "hard links"

# what diff does not look at
rm -rf C
mkdir C
echo x >C/file
ln -s x C/link
mkdir C/dir
touch -d @1000000000 C/file
into C a.img ext4
cp -a C D
image b.img 64M mkfs.ext4 -q
cptofs -i b.img D/. /
lkl rm -r b.img /lost+found
lkl rm -r a.img /lost+found
expect 0 nothing lkl diff --attributes a.img b.img
lkl chmod b.img 600 /file
lkl chown b.img 5:6 /dir
lkl touch -d @1000000001 b.img /file
expect 0 nothing lkl diff a.img b.img
cat >want <<-END
	Owners of a.img:/dir and b.img:/dir differ
	Permissions of a.img:/file and b.img:/file differ
END
expect 1 want lkl diff --attributes a.img b.img
echo "Times of a.img:/file and b.img:/file differ" >want
lkl touch -r /dir a.img / && lkl touch -d @1 a.img /dir /link / -h
lkl touch -d @1 b.img /dir /link / -h
expect 1 want lkl diff --times a.img b.img
setfattr -n user.x -v 1 C/file
into C a.img ext4
lkl rm -r a.img /lost+found
lkl diff --attributes a.img D >have || true
grep -qx 'Extended attributes of a.img:/file and D/file differ' have ||
	{ cat have; fail "--attributes"; }
if is_root; then
	into C a.img ext4
	into C b.img ext4
	mknod n c 1 3
	mknod m c 1 5
	lkl sh a.img -c 'cp n :/dev'
	lkl sh b.img -c 'cp m :/dev'
	echo "Devices a.img:/dev and b.img:/dev differ" >want
	expect 1 want lkl diff a.img b.img
fi

# trouble is 2
for args in "a.img" "a.img b.img c" "C D" "-x" "a.img none" "none a.img" "a.img:/none C" "a.img:/ none" "nothing a.img"; do
	status=0
	# shellcheck disable=SC2086
	lkl diff $args >out.log 2>&1 || status=$?
	[ $status = 2 ] && grep -q "^lkl diff: " out.log || { cat out.log; fail "lkl diff $args: $status"; }
done
# an image that cannot be read to its end
head -c $((3 << 20)) a.img >cut
truncate -s 64M cut
status=0
lkl diff cut C >out.log 2>&1 || status=$?
[ $status = 2 ] || { cat out.log; fail "a damaged image: $status"; }
