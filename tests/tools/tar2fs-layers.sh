#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tar2fs unpacks OCI images: random layers become what a model in python says, from
# a directory, an archive and layer by layer; what is missing or false is one line.

. "$(dirname "$0")/../common/tools.sh"
need python3 mkfs.ext4 tar

# list IMAGE: as mkoci.py does
list() {
	lkl find "$1" / -path /lost+found -prune -o -type d -printf '%p d %m %U:%G \n' \
		-o -type f -printf '%p f %m %U:%G %s\n' -o -printf '%p l %m %U:%G %l\n' |
		grep -v '^/ ' | sort
}

empty() {
	image "$1" 64M mkfs.ext4 -q -b 4096
}

for seed in 1 2 3 4 5 6 7 8; do
	rm -rf oci want
	"$COMMON/mkoci.py" $seed oci want
	sort -o want want
	empty img
	tar2fs oci img
	list img >have
	diff want have || fail "seed $seed"
	check ext4 img
	[ $seed -lt 7 ] || continue
	tar -C oci -cf oci.tar .
	empty archive
	TMPDIR=$PWD tar2fs --oci oci.tar archive
	fs2tar --mtime=@0 img - | cmp - <(fs2tar --mtime=@0 archive -) || fail "seed $seed: an archive of it"
	[ "$(echo lkl-oci*)" = 'lkl-oci*' ] || fail "something is left"
done
# the same layer by layer, by the manifest
layers() {
	python3 -c '
import json
blob = lambda d: "oci/blobs/" + d["digest"].replace(":", "/")
index = json.load(open("oci/index.json"))
for layer in json.load(open(blob(index["manifests"][0])))["layers"]:
    print(blob(layer))'
}
empty single
for layer in $(layers); do
	tar2fs --layer "$layer" single
done
fs2tar --mtime=@0 img - | cmp - <(fs2tar --mtime=@0 single -) || fail "layer by layer"
# an ordinary archive may have such names
mkdir plain
: >plain/.wh.x
tar -cf plain.tar -C plain .wh.x
tar2fs plain.tar single
lkl stat single /.wh.x >/dev/null

# several images in one layout
python3 - <<'END'
import json
with open("oci/index.json") as f:
    index = json.load(f)
first = index["manifests"][0]
other = dict(first, annotations={"org.opencontainers.image.ref.name": "old"})
alien = dict(first, platform={"os": "linux", "architecture": "s390x"})
json.dump(dict(index, manifests=[first, other]), open("two.json", "w"))
json.dump(dict(index, manifests=[alien, first]), open("alien.json", "w"))
json.dump(dict(index, manifests=[alien]), open("aliens.json", "w"))
json.dump(dict(index, manifests=[]), open("none.json", "w"))
json.dump(dict(index, manifests=[dict(first, digest="sha256:../../../../etc/passwd")]),
          open("path.json", "w"))
json.dump(dict(index, manifests=[dict(first, digest="md5:0")]), open("md5.json", "w"))
END
cp oci/index.json index.json
empty img
cp img untouched
refused() {
	refuses 2 "$1" tar2fs "${@:2}" oci img
	cmp img untouched || fail "'$1': the image was changed"
}
cp two.json oci/index.json
refused "'oci' has several images, choose one with --ref: 'latest', 'old'"
refused "'oci' has no image 'new'" --ref new
tar2fs --ref old oci img
list img | diff want - || fail "--ref"
cp untouched img
cp alien.json oci/index.json
tar2fs oci img
cp untouched img
cp aliens.json oci/index.json
refused "'oci' has no image for this machine"
cp none.json oci/index.json
refused "'oci' has no image for this machine"
cp path.json oci/index.json
refused "'oci': manifest has no digest that can be checked: 'sha256:../../../../etc/passwd'"
cp md5.json oci/index.json
refused "'oci': manifest has no digest that can be checked: 'md5:0'"
echo '[' >oci/index.json
refused "'oci': index.json is not valid"
rm oci/index.json
refused "'oci' is no OCI image: it has no index.json"
cp index.json oci/index.json

last=$(layers | tail -n 1)
digest=sha256:${last##*/}
mv "$last" saved
refused "'oci': layer $digest is missing"
cp saved "$last"
printf x | dd of="$last" bs=1 seek=100 conv=notrunc status=none
refused "'oci': the content of layer $digest does not match its digest"
head -c -1 saved >"$last"
refused "'oci': the content of layer $digest does not match its digest"
ln -sf /etc/passwd "$last"
refused "'oci': cannot open layer $digest: Too many levels of symbolic links"
rm "$last"
# links on the way lead nowhere either
cp saved "$last"
mv oci/blobs/sha256 elsewhere
ln -s ../../elsewhere oci/blobs/sha256
refused "'oci': cannot open manifest sha256:[0-9a-f]*: Too many levels of symbolic links"
rm oci/blobs/sha256
mv elsewhere oci/blobs/sha256
mv oci/index.json elsewhere
ln -s ../elsewhere oci/index.json
refused "'oci': cannot open index.json: Too many levels of symbolic links"
mv elsewhere oci/index.json
rm "$last"
mkdir "$last"
refused "'oci': cannot open layer $digest: Is a directory"
refuses 2 "cannot open 'nowhere': No such .*" tar2fs --oci nowhere img
refuses 2 "'plain.tar' is no OCI image: it has no index.json" tar2fs --oci plain.tar img
refuses 2 "cannot read twice '-': Illegal seek" bash -c 'cat plain.tar | tar2fs --layer - img'
bad_usage fs2tar "--oci img a.tar" "--layer img a.tar"
