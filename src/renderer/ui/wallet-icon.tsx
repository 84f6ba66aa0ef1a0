import { Wallet } from 'lucide-react'

/** A wallet's own picture, or a plain one. */
export function WalletIcon({ icon }: { icon: string | undefined }) {
  return icon === undefined ? <Wallet aria-hidden="true" /> : <img src={icon} alt="" width={16} height={16} />
}
