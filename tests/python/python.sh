#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The Python package: its tests by pytest, its types by mypy, its examples, and a wheel
# that is built with the installed library.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
python=/usr/bin/python3
export PYTHONPATH=$BUILD/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1
export PATH=$BUILD/bin:$PATH

for module in cffi pytest fsspec mypy setuptools wheel; do
	$python -c "import $module" 2>/dev/null || {
		echo "skip: python3 has no $module"
		exit 77
	}
done

# a kernel is one in a process, so each file has its own
for file in "$here"/test_*.py; do
	$python -m pytest -q --tb=short -p no:cacheprovider "$file"
done

cp -r "$top/bindings/python" source
rm -rf source/lkl/_lkl.*
(cd source && $python -m mypy --strict-optional --cache-dir="$PWD/../mypy")

truncate -s 64M disk.img
mkfs.ext4 -q disk.img
for example in "$top"/bindings/python/examples/*.py; do
	$python "$example" disk.img
done

# The README's, in a directory where it may write.
awk '/^```python$/ { on = 1; next } /^```$/ { on = 0 } on' "$top/README.md" >readme.py
[ -s readme.py ] && $python readme.py
[ "$(lkl cat disk.img /etc/hostname)" = box ] && [ "$(cat etc/hostname)" = box ]

make -s -C "$top" install DESTDIR="$PWD/root" PREFIX=/usr BUILD="$BUILD" >/dev/null
test -f root/usr/lib/python3/dist-packages/lkl/__init__.py
sed -i "s|^prefix=.*|prefix=$PWD/root/usr|" root/usr/lib/pkgconfig/lkl.pc
(cd source && PKG_CONFIG_PATH=$PWD/../root/usr/lib/pkgconfig \
	$python setup.py -q bdist_wheel) >log 2>&1 || { cat log; exit 1; }
$python -m zipfile -e source/dist/lkl-*.whl wheel
echo 'import fsspec, lkl.kernel
assert "/wheel/lkl/" in lkl.__file__
assert fsspec.get_filesystem_class("lkl").__name__ == "LklFileSystem"
lkl.boot(); print(lkl.log().splitlines()[0])' >use.py
PYTHONPATH=wheel LD_LIBRARY_PATH=root/usr/lib $python -c "$(cat use.py)"
