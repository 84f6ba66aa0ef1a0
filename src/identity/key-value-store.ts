/** Where this room keeps what is not secret: the device list, the seat. Joined to the sealed store in device/. */
export interface KeyValueStore {
  /** The bytes last put under `key`, or undefined. */
  get(key: string): Promise<Uint8Array | undefined>
  /** Durable once resolved. */
  put(key: string, bytes: Uint8Array): Promise<void>
}
