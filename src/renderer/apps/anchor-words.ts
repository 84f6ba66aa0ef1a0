import type { AnchorSettings, AnchorState } from '../../identity/ledger-contract.ts'

export const ANCHOR_NETWORKS = [
  { value: 'off', label: 'Off' },
  { value: 'devnet', label: 'Devnet' },
  { value: 'mainnet-beta', label: 'Mainnet' },
  { value: 'custom', label: 'Own server' },
] as const satisfies readonly { readonly value: AnchorSettings['network']; readonly label: string }[]

const LAMPORTS_PER_SOL = 1_000_000_000
/** What one anchor costs on Solana: one signature. */
export const ANCHOR_LAMPORTS = 5_000

/** `0.000005 SOL`: as wallets write amounts. */
export function solText(lamports: number): string {
  const text = (lamports / LAMPORTS_PER_SOL).toFixed(9).replace(/0+$/, '').replace(/\.$/, '')
  return `${text} SOL`
}

/** Where, in a word that follows "on". */
export function networkText({ network, rpcUrl }: AnchorSettings): string {
  if (network === 'devnet') return 'Solana devnet'
  if (network === 'mainnet-beta') return 'Solana mainnet'
  return URL.canParse(rpcUrl) ? `the network of ${new URL(rpcUrl).host}` : 'a network of your own'
}

/** How many entries stand where nobody can change them, and how many do not yet. */
export function anchoredText({ last, uncovered }: Pick<AnchorState, 'last' | 'uncovered'>): string {
  const entries = (count: number) => (count === 1 ? 'one entry' : `${count} entries`)
  if (!last) return `Nothing is anchored yet; ${entries(uncovered)} can be.`
  const since = uncovered === 0 ? 'nothing new since' : `${entries(uncovered)} since`
  const first = entries(last.count)
  return `${first[0]?.toUpperCase()}${first.slice(1)} anchored, ${since}.`
}

/** The ends of a long base58 name. */
export const shortKey = (text: string): string => (text.length <= 20 ? text : `${text.slice(0, 8)}…${text.slice(-8)}`)
