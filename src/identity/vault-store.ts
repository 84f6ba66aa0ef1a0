/**
 * `vault`: the sealed keys. `unattended`: the key that opens the device part without a passphrase; exists only when asked
 * for. `opener`: the same key under another that lies in an operating system's key store; exists only when asked for.
 * `passkey`: both locks under the answer of an authenticator; exists only when asked for.
 * `wallets`: which wallets may sign in, sealed with the device keys.
 * `buckets`: what opens the bucket that holds the files, sealed with the device keys.
 * `datasets`: which datasets a recovery kit knew, sealed with the device keys, until they are in the list.
 * `devices`: a sealed copy of the device list, so that a device whose store is lost still knows whom to heal from.
 */
export type VaultFile = 'vault' | 'unattended' | 'opener' | 'passkey' | 'wallets' | 'buckets' | 'datasets' | 'devices'

/**
 * Where the vault lies. Every implementation runs `describeVaultStore` from vault-store.suite.ts (rule ID14): only the
 * owner can read, a write is all or nothing and durable once resolved, also across a crash.
 */
export interface VaultStore {
  /** The bytes, or undefined when there is no such file. */
  read(file: VaultFile): Promise<Uint8Array | undefined>
  write(file: VaultFile, bytes: Uint8Array): Promise<void>
  /** Overwrites nothing (disks keep old blocks): after it the key must be changed, not just forgotten. Absent is fine. */
  remove(file: VaultFile): Promise<void>
}
