#!/usr/bin/env python3
"""fsx.py FILE SEED ROUNDS [PLANT]: one file, one buffer that says what must be in it, random calls on both, as fsx does.
Prints nothing when they stay equal, otherwise the first difference after the steps before it. PLANT names a kind of step that
is now and then left out on the file: it must be found. In Python, because it has the calls Node lacks."""
import ctypes, mmap, os, random, sys

path, seed, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
plant = sys.argv[4] if len(sys.argv) > 4 else None
libc = ctypes.CDLL(None, use_errno=True)
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
MAX_BYTES = 300_000
rng = random.Random(seed)
model = bytearray()
steps = []
fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o644)


def lengthen(to):
    if to > len(model):
        model.extend(bytes(to - len(model)))


def put(offset, data):
    lengthen(offset + len(data))
    model[offset:offset + len(data)] = data


def allocate(mode, offset, length):
    if libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(length)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def fail(what):
    print(f'seed {seed}')
    print('\n'.join(steps[-15:]))
    print(what)
    sys.exit(0)


def content(length):
    return bytes([rng.randrange(256)]) * length if rng.random() < 0.5 else rng.randbytes(length)


def compare(at, got, wanted):
    if got != wanted:
        first = next((i for i in range(min(len(got), len(wanted))) if got[i] != wanted[i]), min(len(got), len(wanted)))
        fail(f'differs at {at + first}, {len(got)} of {len(wanted)} bytes came')


KINDS = [('write', 5), ('append', 2), ('cut', 2), ('lengthen', 1), ('punch', 2), ('zero', 2), ('allocate', 3), ('copy', 2),
         ('map write', 2), ('map read', 1), ('read', 5), ('reopen', 1), ('sync', 1), ('forget', 2)]
NAMES, WEIGHTS = zip(*KINDS)
for round in range(rounds):
    kind = rng.choices(NAMES, WEIGHTS)[0]
    offset = rng.randrange(MAX_BYTES)
    length = 1 + rng.randrange(min(MAX_BYTES - offset, 20_000 if rng.random() < 0.7 else MAX_BYTES))
    is_done = not (plant == kind and round > 20 and rng.random() < 0.5)
    steps.append(f'{kind} {offset}+{length} of {len(model)}')
    if kind == 'write':
        data = content(length)
        if is_done:
            os.pwrite(fd, data, offset)
        put(offset, data)
    elif kind == 'append':
        data = content(min(length, 5000))
        if is_done:
            other = os.open(path, os.O_WRONLY | os.O_APPEND)
            os.write(other, data)
            os.close(other)
        put(len(model), data)
    elif kind in ('cut', 'lengthen'):
        to = rng.randrange(len(model) + 1) if kind == 'cut' else min(MAX_BYTES, len(model) + length)
        if is_done:
            os.ftruncate(fd, to)
        del model[to:]
        lengthen(to)
    elif kind == 'punch':
        if is_done:
            allocate(PUNCH_HOLE | KEEP_SIZE, offset, length)
        end = min(offset + length, len(model))
        if offset < end:
            model[offset:end] = bytes(end - offset)
    elif kind == 'zero':
        if is_done:
            allocate(ZERO_RANGE, offset, length)
        put(offset, bytes(length))
    elif kind == 'allocate':
        keep = rng.random() < 0.3
        if is_done:
            allocate(KEEP_SIZE if keep else 0, offset, length)
        if not keep:
            lengthen(offset + length)
    elif kind == 'copy':
        size = min(length, len(model) // 2)
        if size == 0:
            continue
        source = rng.randrange(len(model) // 2 - size + 1)
        target = rng.randrange(source + size, MAX_BYTES)  # the two must not overlap in one file
        data = bytes(model[source:source + size])
        done = 0
        while is_done and done < size:
            done += os.copy_file_range(fd, fd, size - done, source + done, target + done)
        put(target, data)
    elif kind in ('map write', 'map read'):
        if offset >= len(model):
            continue
        end = min(offset + length, len(model))
        with mmap.mmap(fd, len(model)) as view:
            if kind == 'map read':
                compare(offset, view[offset:end], bytes(model[offset:end]))
            else:
                data = content(end - offset)
                if is_done:
                    view[offset:end] = data
                    if rng.random() < 0.5:
                        view.flush()
                put(offset, data)
    elif kind == 'read':
        compare(offset, os.pread(fd, length, offset), bytes(model[offset:offset + length]))
    elif kind == 'reopen':
        os.close(fd)
        fd = os.open(path, os.O_RDWR)
    elif kind == 'sync':
        os.fsync(fd)
    elif kind == 'forget':  # pages are dropped: the next read asks whoever holds the file
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    if os.fstat(fd).st_size != len(model):
        fail(f'{os.fstat(fd).st_size} bytes long instead of {len(model)}')
os.close(fd)
with open(path, 'rb') as f:
    compare(0, f.read(), bytes(model))
