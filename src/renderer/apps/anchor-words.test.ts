import { expect, it } from 'vitest'
import { anchoredText, networkText, shortKey, solText } from './anchor-words.ts'

const settings = { network: 'custom', rpcUrl: 'http://127.0.0.1:8899/?key=secret', everyHours: 24, dailyLamports: 50_000 } as const
const last = { signature: 's', count: 12, atMs: 1, slot: 1, feeLamports: 5_000, network: 'g' }

it('amounts are written as wallets write them', () => {
  expect([0, 5_000, 50_000, 1_000_000_000, 1_234_500_000].map(solText)).toEqual([
    '0 SOL',
    '0.000005 SOL',
    '0.00005 SOL',
    '1 SOL',
    '1.2345 SOL',
  ])
})

it('a network is named, and a key in its URL is not shown', () => {
  expect(networkText(settings)).toBe('the network of 127.0.0.1:8899')
  expect(networkText({ ...settings, rpcUrl: '' })).toBe('a network of your own')
  expect([networkText({ ...settings, network: 'devnet' }), networkText({ ...settings, network: 'mainnet-beta' })]).toEqual([
    'Solana devnet',
    'Solana mainnet',
  ])
})

it('what is anchored is said with what is not yet', () => {
  expect(anchoredText({ uncovered: 7 })).toBe('Nothing is anchored yet; 7 entries can be.')
  expect(anchoredText({ last, uncovered: 0 })).toBe('12 entries anchored, nothing new since.')
  expect(anchoredText({ last: { ...last, count: 1 }, uncovered: 1 })).toBe('One entry anchored, one entry since.')
  expect([shortKey('short'), shortKey('a'.repeat(40))]).toEqual(['short', 'aaaaaaaa…aaaaaaaa'])
})
