"""libuv's filesystem operations, each at once or, with a callback, on a loop."""

from math import inf as UTIME_NOW
from math import nan as UTIME_OMIT

from ._pyuv import fs as _fs

Dirent = _fs.Dirent
FSRequest = _fs.FSRequest
stat_result = _fs.stat_result
stat_float_times = _fs.stat_float_times
access = _fs.access
chmod = _fs.chmod
chown = _fs.chown
close = _fs.close
fchmod = _fs.fchmod
fchown = _fs.fchown
fdatasync = _fs.fdatasync
fstat = _fs.fstat
fsync = _fs.fsync
ftruncate = _fs.ftruncate
futime = _fs.futime
lchown = _fs.lchown
link = _fs.link
lstat = _fs.lstat
lutime = _fs.lutime
mkdir = _fs.mkdir
open = _fs.open
read = _fs.read
readlink = _fs.readlink
realpath = _fs.realpath
rename = _fs.rename
rmdir = _fs.rmdir
scandir = _fs.scandir
sendfile = _fs.sendfile
stat = _fs.stat
symlink = _fs.symlink
unlink = _fs.unlink
utime = _fs.utime
write = _fs.write
