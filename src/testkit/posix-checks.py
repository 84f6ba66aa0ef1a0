#!/usr/bin/env python3
"""posix_checks.py DIR: what POSIX and Linux say of files, checked in DIR. Prints a line for each that does not hold.
In Python, because it has the calls Node lacks (fallocate, renameat2, xattr, locks), and it waits in a process of its own."""
import ctypes, errno, fcntl, mmap, os, signal, stat, sys, threading

D = sys.argv[1]
os.chdir(D)
libc = ctypes.CDLL(None, use_errno=True)
failures = []
count = 0


def check(name, ok, got=''):
    global count
    count += 1
    if not ok:
        failures.append(f'{name}: {got}')


def refuses(name, code, work):
    try:
        work()
        check(name, False, 'was done')
    except OSError as error:
        check(name, error.errno == code, f'{errno.errorcode.get(error.errno)} instead of {errno.errorcode[code]}')


def put(path, data=b''):
    with open(path, 'wb') as f:
        f.write(data)


def get(path):
    with open(path, 'rb') as f:
        return f.read()


def renameat2(a, b, flags):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), flags) != 0:
        raise OSError(ctypes.get_errno(), 'renameat2')


# Names
put('n' * 255)
check('a name of 255 bytes', os.listdir('.') == ['n' * 255], os.listdir('.'))
os.unlink('n' * 255)
put('small')
refuses('a name of 256 bytes', errno.ENAMETOOLONG, lambda: put('n' * 256))
refuses('a folder of 256 bytes', errno.ENAMETOOLONG, lambda: os.mkdir('n' * 256))
refuses('a lookup of 256 bytes', errno.ENAMETOOLONG, lambda: os.stat('n' * 256))
refuses('a target of 256 bytes', errno.ENAMETOOLONG, lambda: os.rename('small', 'n' * 256))
os.unlink('small')
refuses('a name that is not UTF-8', errno.EILSEQ, lambda: open(b'\xff\xfe', 'w'))
put('ä\U0001f600 b\n')
check('a name in Unicode', os.listdir('.') == ['ä\U0001f600 b\n'], os.listdir('.'))
os.unlink('ä\U0001f600 b\n')

# Creation, opening
put('f', b'hello')
refuses('O_EXCL on a file that is there', errno.EEXIST, lambda: os.open('f', os.O_CREAT | os.O_EXCL | os.O_WRONLY))
refuses('opening what is not there', errno.ENOENT, lambda: os.open('none', os.O_RDONLY))
refuses('a file as a folder', errno.ENOTDIR, lambda: os.stat('f/x'))
refuses('O_DIRECTORY on a file', errno.ENOTDIR, lambda: os.open('f', os.O_RDONLY | os.O_DIRECTORY))
os.mkdir('d')
refuses('writing to a folder', errno.EISDIR, lambda: os.open('d', os.O_WRONLY))
refuses('mkdir on a name that is taken', errno.EEXIST, lambda: os.mkdir('f'))
refuses('a hard link', errno.EPERM, lambda: os.link('f', 'g'))
refuses('a pipe', errno.EPERM, lambda: os.mkfifo('p'))
os.umask(0o027)
os.close(os.open('m', os.O_CREAT | os.O_WRONLY, 0o666))
check('umask', stat.S_IMODE(os.stat('m').st_mode) == 0o640, oct(os.stat('m').st_mode))
os.umask(0o022)
put('m', b'x' * 10)
os.close(os.open('m', os.O_TRUNC | os.O_WRONLY))
check('O_TRUNC', os.stat('m').st_size == 0)
check('nobody runs what is not executable', os.access('m', os.R_OK | os.W_OK) and not os.access('m', os.X_OK))
os.chmod('m', 0o755)
check('what is executable may be run', os.access('m', os.R_OK | os.X_OK))
os.chmod('m', 0o640)

# Reading and writing
fd = os.open('f', os.O_RDWR)
check('pread', os.pread(fd, 3, 1) == b'ell')
check('pread past the end', os.pread(fd, 3, 10) == b'')
os.pwrite(fd, b'X', 9)
check('a hole reads as zeros', get('f') == b'hello\0\0\0\0X', get('f'))
os.ftruncate(fd, 3)
os.ftruncate(fd, 6)
check('cut and lengthened', get('f') == b'hel\0\0\0', get('f'))
os.close(fd)
a = os.open('f', os.O_WRONLY | os.O_APPEND)
b = os.open('f', os.O_WRONLY | os.O_APPEND)
os.write(a, b'A')
os.write(b, b'B')
os.write(a, b'C')
os.close(a)
os.close(b)
check('appends follow each other', get('f') == b'hel\0\0\0ABC', get('f'))
with open('f', 'r+b') as f:
    view = mmap.mmap(f.fileno(), 0)
    view[0:3] = b'MAP'
    view.flush()
    view.close()
check('a shared mapping writes', get('f')[:3] == b'MAP', get('f'))
big = os.urandom(3 << 20)
put('big', big)
check('3 MiB come back', get('big') == big)
with open('big', 'r+b') as f:
    f.seek(1_000_001)
    f.write(b'middle')
expected = big[:1_000_001] + b'middle' + big[1_000_007:]
check('a write in the middle', get('big') == expected)
os.truncate('big', 1_500_000)
check('truncate(2)', get('big') == expected[:1_500_000])
os.unlink('big')
refuses('read of a folder', errno.EISDIR, lambda: os.read(os.open('d', os.O_RDONLY), 1))

# Removed while open
fd = os.open('gone', os.O_CREAT | os.O_RDWR)
os.write(fd, b'still')
os.unlink('gone')
check('a removed file is not listed', 'gone' not in os.listdir('.'))
os.write(fd, b' here')
check('a removed file reads on', os.pread(fd, 20, 0) == b'still here')
check('a removed file has no links', os.fstat(fd).st_nlink == 0, os.fstat(fd).st_nlink)
put('gone', b'new')
check('its name is free', get('gone') == b'new' and os.pread(fd, 5, 0) == b'still')
os.close(fd)

# Folders
refuses('rmdir of a file', errno.ENOTDIR, lambda: os.rmdir('f'))
refuses('unlink of a folder', errno.EISDIR, lambda: os.unlink('d'))
put('d/x')
refuses('rmdir of a folder with entries', errno.ENOTEMPTY, lambda: os.rmdir('d'))
before = os.stat('d').st_mtime_ns
os.mkdir('d/e')
check('mtime of a folder moves', os.stat('d').st_mtime_ns > before)
# 1: folders are not counted, as on btrfs.
check('links of a folder', os.stat('d').st_nlink in (1, 3), os.stat('d').st_nlink)
refuses('rmdir of .', errno.EINVAL, lambda: os.rmdir('d/.'))
os.mkdir('many')
for i in range(3000):
    put(f'many/{i}')
names = os.listdir('many')
check('3,000 entries, each once', sorted(names) == sorted(map(str, range(3000))), len(names))
with os.scandir('many') as entries:
    for entry in entries:
        os.unlink(entry.path)
check('removed while listed', os.listdir('many') == [], len(os.listdir('many')))
os.rmdir('many')

# Renames
put('a', b'a')
put('b', b'b')
os.rename('a', 'b')
check('rename replaces', get('b') == b'a' and not os.path.exists('a'))
refuses('rename of what is not there', errno.ENOENT, lambda: os.rename('a', 'c'))
refuses('a file onto a folder', errno.EISDIR, lambda: os.rename('b', 'd'))
refuses('a folder onto a file', errno.ENOTDIR, lambda: os.rename('d', 'b'))
refuses('a folder into itself', errno.EINVAL, lambda: os.rename('d', 'd/e/f'))
os.mkdir('full')
put('full/x')
refuses('a folder onto one with entries', errno.ENOTEMPTY, lambda: os.rename('d', 'full'))
os.rename('b', 'b')
check('rename onto itself', get('b') == b'a')
os.mkdir('deep')
os.rename('d', 'deep/d')
check('a folder moves with what is in it', os.path.exists('deep/d/x') and os.stat('deep').st_nlink in (1, 3))
put('a', b'A')
refuses('RENAME_NOREPLACE', errno.EEXIST, lambda: renameat2('a', 'b', 1))
renameat2('a', 'b', 2)
check('RENAME_EXCHANGE', get('a') == b'a' and get('b') == b'A')
renameat2('a', 'deep', 2)
check('RENAME_EXCHANGE of a file and a folder', os.path.isdir('a') and get('deep') == b'a')
os.rename('deep', 'a/f')

# Links
os.symlink('../b', 'a/l')
check('readlink', os.readlink('a/l') == '../b' and get('a/l') == b'A')
check('size of a link', os.lstat('a/l').st_size == 4)
refuses('readlink of a file', errno.EINVAL, lambda: os.readlink('b'))
os.symlink('loop', 'loop')
refuses('a link to itself', errno.ELOOP, lambda: os.stat('loop'))
os.unlink('loop')

# Attributes
os.chmod('b', 0o4751)
check('chmod', stat.S_IMODE(os.stat('b').st_mode) == 0o4751, oct(os.stat('b').st_mode))
os.utime('b', ns=(1, 1_700_000_000_123_456_789))
check('utimensat to the nanosecond', os.stat('b').st_mtime_ns == 1_700_000_000_123_456_789, os.stat('b').st_mtime_ns)
ctime = os.stat('b').st_ctime_ns
os.chmod('b', 0o644)
check('ctime moves', os.stat('b').st_ctime_ns >= ctime)
before = os.stat('b').st_mtime_ns
with open('b', 'ab') as f:
    f.write(b'more')
check('a write moves mtime', os.stat('b').st_mtime_ns > before)
os.chown('b', os.getuid(), os.getgid())
check('chown to oneself', os.stat('b').st_uid == os.getuid())
refuses('chown to another account', errno.EPERM, lambda: os.chown('b', 4711, -1))
os.setxattr('b', 'user.note', b'\0\xff')
check('xattr', os.getxattr('b', 'user.note') == b'\0\xff' and os.listxattr('b') == ['user.note'], os.listxattr('b'))
refuses('XATTR_CREATE', errno.EEXIST, lambda: os.setxattr('b', 'user.note', b'', os.XATTR_CREATE))
refuses('XATTR_REPLACE', errno.ENODATA, lambda: os.setxattr('b', 'user.none', b'', os.XATTR_REPLACE))
os.removexattr('b', 'user.note')
refuses('an xattr that is not there', errno.ENODATA, lambda: os.getxattr('b', 'user.note'))
refuses('a label, which is not kept', errno.EOPNOTSUPP, lambda: os.getxattr('b', 'security.note'))
refuses('an xattr of the system', errno.EOPNOTSUPP if os.geteuid() == 0 else errno.EPERM, lambda: os.setxattr('b', 'trusted.x', b'1'))

# Room
fd = os.open('room', os.O_CREAT | os.O_RDWR)
os.posix_fallocate(fd, 0, 10_000)
check('fallocate', os.fstat(fd).st_size == 10_000)
os.pwrite(fd, b'y' * 10_000, 0)
check('fallocate keeps size', libc.fallocate(fd, 1, ctypes.c_long(0), ctypes.c_long(20_000)) == 0 and os.fstat(fd).st_size == 10_000)
check('a hole is punched', libc.fallocate(fd, 3, ctypes.c_long(100), ctypes.c_long(50)) == 0)
data = os.pread(fd, 10_000, 0)
check('what is punched reads as zeros', data == b'y' * 100 + b'\0' * 50 + b'y' * 9850)
check('a range is made zero', libc.fallocate(fd, 16, ctypes.c_long(9_990), ctypes.c_long(20)) == 0 and os.fstat(fd).st_size == 10_010)
os.fsync(fd)
os.fdatasync(fd)
os.close(fd)
space = os.statvfs('.')
check('statvfs', 0 < space.f_bavail <= space.f_blocks and space.f_namemax == 255 and space.f_bsize > 0)
check('statvfs counts files', space.f_files > 0, space.f_files)

# Locks between programs of this machine
fd = os.open('b', os.O_RDWR)
fcntl.flock(fd, fcntl.LOCK_EX)
other = os.open('b', os.O_RDWR)
refuses('flock is held', errno.EWOULDBLOCK, lambda: fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB))
fcntl.flock(fd, fcntl.LOCK_UN)
fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
os.close(other)
fcntl.lockf(fd, fcntl.LOCK_EX, 1)
pid = os.fork()
if pid == 0:
    try:
        child = os.open('b', os.O_RDWR)
        fcntl.lockf(child, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
        os._exit(1)
    except OSError:
        os._exit(0)
check('a POSIX lock is held against another process', os.waitpid(pid, 0)[1] == 0)
pid = os.fork()
if pid == 0:
    child = os.open('b', os.O_RDWR)
    fcntl.lockf(child, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1)
    os._exit(0)
check('another byte of it is free', os.waitpid(pid, 0)[1] == 0)
told, tell = os.pipe()
pid = os.fork()
if pid == 0:
    child = os.open('b', os.O_RDWR)
    os.write(tell, b'x')
    fcntl.lockf(child, fcntl.LOCK_EX, 1)
    os._exit(0 if os.pread(child, 1, 0) == b'L' else 1)
os.read(told, 1)
os.pwrite(fd, b'L', 0)
os.close(fd)
check('who waits for a lock gets it when its holder closes the file', os.waitpid(pid, 0)[1] == 0)
fd = os.open('b', os.O_RDWR)
pid = os.fork()
if pid == 0:
    fcntl.flock(os.open('b', os.O_RDWR), fcntl.LOCK_EX)
    os.write(tell, b'x')
    signal.pause()
os.read(told, 1)
refuses('flock of another process is held', errno.EWOULDBLOCK, lambda: fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB))
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
check('a lock goes with its process', True)
os.close(fd)

# Two writers and a reader at once
def writer(letter):
    with open('both', 'r+b') as f:
        for i in range(200):
            f.seek((2 * i + (letter == b'R')) * 512)
            f.write(letter * 512)

put('both', b'\0' * (400 * 512))
threads = [threading.Thread(target=writer, args=(letter,)) for letter in (b'L', b'R')]
for t in threads:
    t.start()
for t in threads:
    t.join()
check('two writers side by side', get('both') == (b'L' * 512 + b'R' * 512) * 200)

for failure in failures:
    print(failure)
print(f'{count} checked, {len(failures)} failed')
