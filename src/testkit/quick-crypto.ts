import { RehearsalCrypto } from '../platform/node/rehearsal-crypto.ts'

/** The real thing, but a passphrase costs next to nothing. The golden vault and the store on disk pay the full price. */
export { RehearsalCrypto as QuickCrypto }
