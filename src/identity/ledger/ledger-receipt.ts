import { concatBytes, fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import { type DeviceId, parseDeviceId, publicKeyOf } from '../../base/ids.ts'
import type { Crypto } from '../crypto.ts'
import type { DeviceSigner } from '../device-keys.ts'
import { IdentityError } from '../identity-error.ts'
import { type LedgerReceipt, ledgerReceipt } from '../ledger-contract.ts'

export type { LedgerReceipt } from '../ledger-contract.ts'

const SIGNED_AS = 'elsewhere/ledger-receipt/1\0'

const signedText = ({ device, count, root, atMs }: Pick<LedgerReceipt, 'device' | 'count' | 'root' | 'atMs'>) =>
  utf8(`${SIGNED_AS}${device}\n${count}\n${root}\n${atMs}`)

/** @throws IdentityError `identity/key-wiped` */
export function signReceipt(signer: DeviceSigner, state: { count: number; root: Uint8Array; atMs: number }): LedgerReceipt {
  const said = { device: signer.device as string, count: state.count, root: toBase64Url(state.root), atMs: state.atMs }
  return { format: 'elsewhere-ledger-receipt', version: 1, ...said, sig: toBase64Url(signer.sign(signedText(said))) }
}

/** @throws IdentityError `ledger/malformed`  no receipt, or not signed by the device it names */
export function readReceipt(crypto: Crypto, value: unknown): LedgerReceipt & { readonly device: DeviceId } {
  const receipt = ledgerReceipt.safeParse(value).data
  try {
    if (receipt) {
      const device = parseDeviceId(receipt.device)
      const isSigned = crypto.verify(publicKeyOf(device), concatBytes(signedText(receipt)), fromBase64Url(receipt.sig))
      if (isSigned) return { ...receipt, device }
    }
  } catch {
    // not a key, or not base64url: said below
  }
  throw new IdentityError('ledger/malformed', 'this is no receipt of a ledger, or it was changed; use the file as it was written')
}
