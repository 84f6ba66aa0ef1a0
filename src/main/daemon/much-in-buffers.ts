/**
 * For a process through which many buffers go: their bytes count as what V8 manages, with the same limit. By default V8 goes through its whole
 * heap whenever 64 MiB of buffers outside it were made (24.21), however soon they are let go of: 123 times while 512 MiB were stored and then read by
 * another device. With this 32 times. It costs memory: some 50 MB while much is under way.
 */
export const MUCH_IN_BUFFERS: readonly string[] = ['--external-memory-accounted-in-global-limit']
