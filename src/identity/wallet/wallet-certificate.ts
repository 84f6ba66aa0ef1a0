import { fromBase58 } from '../../base/base58.ts'
import { concatBytes, fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import { parseDeviceId, publicKeyOf } from '../../base/ids.ts'
import type { Crypto } from '../crypto.ts'
import type { DeviceSigner } from '../device-keys.ts'
import { IdentityError } from '../identity-error.ts'
import { type WalletCertificate, walletCertificate } from '../wallet-contract.ts'
import { type WalletKey, walletProofText } from './wallet-key.ts'

export type { WalletCertificate } from '../wallet-contract.ts'

const SIGNED_AS = 'elsewhere/wallet/1\0'

const signedText = ({ device, address }: { device: string; address: string }) => utf8(`${SIGNED_AS}${device}\n${address}`)

/**
 * Binds a wallet to its device, both ways (rule ID110): the device says that the wallet is its own, and the wallet agrees, so
 * that no device claims another's. @throws IdentityError `identity/key-wiped`
 */
export function certifyWallet(signer: DeviceSigner, wallet: WalletKey): WalletCertificate {
  const said = { device: signer.device as string, address: wallet.address }
  const sig = toBase64Url(signer.sign(signedText(said)))
  return { format: 'elsewhere-wallet', version: 1, ...said, sig, proof: toBase64Url(wallet.proveFor(said.device)) }
}

/** @throws IdentityError `wallet/malformed`  no certificate, or not signed by the device and the wallet it names */
export function readWalletCertificate(crypto: Crypto, value: unknown): WalletCertificate {
  const certificate = walletCertificate.safeParse(value).data
  try {
    if (certificate) {
      const { device, address, sig, proof } = certificate
      const byDevice = crypto.verify(publicKeyOf(parseDeviceId(device)), concatBytes(signedText(certificate)), fromBase64Url(sig))
      const byWallet = crypto.verify(fromBase58(address), walletProofText(device, address), fromBase64Url(proof))
      if (byDevice && byWallet) return certificate
    }
  } catch {
    // not a key, or not base64url: said below
  }
  throw new IdentityError('wallet/malformed', 'this does not prove whose wallet it is; use the file as it was written')
}
