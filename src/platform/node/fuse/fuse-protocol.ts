/* Numbers of the kernel's FUSE protocol (include/uapi/linux/fuse.h), those we use. Version 7.31 and newer has all of it. */

export const FUSE_MAJOR = 7
/** The newest minor version whose structures are written here; the kernel speaks the lower of the two. */
export const FUSE_MINOR = 38

export const IN_HEADER_BYTES = 40
export const OUT_HEADER_BYTES = 16
export const ATTR_BYTES = 88
export const ENTRY_BYTES = 128
export const DIRENT_BYTES = 24

/** Largest write, and the room for its header: what one read of the device may give. */
export const MAX_WRITE_BYTES = 1 << 20
export const REQUEST_BUFFER_BYTES = MAX_WRITE_BYTES + 8192

export const Opcode = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  readlink: 5,
  symlink: 6,
  mknod: 8,
  mkdir: 9,
  unlink: 10,
  rmdir: 11,
  rename: 12,
  link: 13,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  setxattr: 21,
  getxattr: 22,
  listxattr: 23,
  removexattr: 24,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  fsyncdir: 30,
  access: 34,
  create: 35,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
  fallocate: 43,
  readdirplus: 44,
  rename2: 45,
  syncfs: 50,
} as const

/** Flags of INIT that we ask for, when the kernel offers them. */
export const InitFlag = {
  asyncRead: 1 << 0,
  bigWrites: 1 << 5,
  readdirplus: 1 << 13,
  readdirplusAuto: 1 << 14,
  asyncDirectIo: 1 << 15,
  /** Writes are gathered in the page cache; the kernel keeps size and times of a file it knows. */
  writebackCache: 1 << 16,
  /** OPEN answered with ENOSYS means: no opens and releases at all, and pages are kept. */
  noOpen: 1 << 17,
  parallelDirectoryOps: 1 << 18,
  maxPages: 1 << 22,
  cacheSymlinks: 1 << 23,
  noOpendir: 1 << 24,
  /** We clear set-user-id bits on writes and truncations: the kernel need not ask for `security.capability` before each. */
  handleKillPrivileges: 1 << 28,
  extendedSetxattr: 1 << 29,
} as const

export const SetattrValid = {
  mode: 1,
  uid: 2,
  gid: 4,
  size: 8,
  atime: 16,
  mtime: 32,
  atimeNow: 128,
  mtimeNow: 256,
  ctime: 1024,
  killPrivileges: 2048,
} as const

/** WRITE: set-user-id bits go. */
export const WRITE_KILL_PRIVILEGES = 4

export const RenameFlag = { noReplace: 1, exchange: 2 } as const
export const FallocateMode = { keepSize: 1, punchHole: 2, zeroRange: 16 } as const
export const XattrFlag = { create: 1, replace: 2 } as const

/** Unasked messages to the kernel: `unique` 0 and this number instead of an error. */
export const NotifyCode = { invalidateInode: 2, invalidateEntry: 3 } as const

/** Kinds of entries, as in st_mode. */
export const FileType = { file: 0o100000, folder: 0o040000, link: 0o120000, mask: 0o170000 } as const

/** Linux error numbers, the same on every processor Node runs on. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ENODATA: 61,
  EILSEQ: 84,
  EOPNOTSUPP: 95,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
} as const
