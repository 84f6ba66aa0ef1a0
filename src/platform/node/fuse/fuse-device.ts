/**
 * The open /dev/fuse of one mount. Reading and answering never wait; `waitReadable` does, without the loop.
 * One reader only: two threads that read one descriptor hung the kernel's truncation in a trial.
 */
export interface FuseDevice {
  /** Bytes of the next request, now in `into`; `none` for now; `gone`: it was unmounted or its connection ended. */
  read(into: Buffer): number | 'none' | 'gone'
  /** As `read`, after waiting at most a tenth of a millisecond: the answer just given usually brings the next request. */
  readSoon(into: Buffer): number | 'none' | 'gone'
  /** Whole or not at all. false: whoever asked has given up meanwhile, or the mount is gone. */
  write(parts: readonly Uint8Array[]): boolean
  /** Resolves when there may be something to read, or some time later; also when disposed. */
  waitReadable(): Promise<void>
  /**
   * Tells the kernel something it did not ask for. It may wait for an answer of ours (the folder is locked by the
   * request that is being answered), so this never happens on the loop.
   */
  notify(message: Uint8Array): Promise<void>
  dispose(): void
}
