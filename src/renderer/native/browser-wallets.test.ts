import { expect, it } from 'vitest'
import { StandardWallet } from '../../testkit/standard-wallet.ts'
import { readWallet } from './browser-wallets.ts'

const QUESTION = {
  domain: 'desk.localhost:1',
  statement: 'Open the desk.',
  uri: 'http://desk.localhost:1',
  version: '1',
  nonce: '0123456789abcdef',
  issuedAt: '2026-11-29T00:00:00.000Z',
  expirationTime: '2026-11-29T00:05:00.000Z',
}
const wallet = new StandardWallet({ name: 'Testwallet', seed: 1 })
const given = (more: object = {}) => ({
  name: 'Testwallet',
  icon: 'data:image/svg+xml;base64,PHN2Zy8+',
  features: { 'solana:signIn': { version: '1.0.0', signIn: async (input: object) => [wallet.signIn(input)] } },
  ...more,
})

it('[DV70] a wallet of the standard is asked all that the device asks, and its answer is passed on as it is', async () => {
  const read = readWallet(given())
  expect(read).toMatchObject({ name: 'Testwallet', icon: 'data:image/svg+xml;base64,PHN2Zy8+' })
  const answer = await read?.signIn(QUESTION)
  expect(wallet.asked.at(-1)).toEqual(QUESTION)
  expect(answer).toEqual(wallet.answer(QUESTION))
})

it('[DV70] what cannot sign in is no wallet, and what a wallet says of itself is bounded', async () => {
  for (const wrong of [
    undefined,
    null,
    'x',
    {},
    given({ name: 7 }),
    given({ name: ' ' }),
    given({ features: {} }),
    given({ features: { 'solana:signIn': {} } }),
  ])
    expect(readWallet(wrong)).toBeUndefined()
  expect(readWallet(given({ name: 'n'.repeat(500) }))?.name).toHaveLength(40)
  for (const icon of [
    'javascript:alert(1)',
    'https://evil.example/track.png',
    'data:text/html;base64,PHNjcmlwdD4=',
    `data:image/png;base64,${'A'.repeat(200_000)}`,
  ])
    expect(readWallet(given({ icon }))?.icon).toBeUndefined()
})

it('[DV70] a refusal and an answer that is none are said in words', async () => {
  const answering = (signIn: () => unknown) => readWallet(given({ features: { 'solana:signIn': { signIn } } }))?.signIn(QUESTION)
  await expect(answering(() => Promise.reject(Object.assign(new Error('no'), { code: 4001 })))).rejects.toMatchObject({
    code: 'wallet/declined',
  })
  const whole = wallet.signIn(QUESTION)
  for (const wrong of [
    undefined,
    [],
    [{}],
    [{ ...whole, signature: new Uint8Array(3) }],
    [{ ...whole, account: { ...whole.account, publicKey: 'x' } }],
    [{ ...whole, signedMessage: undefined }],
  ])
    await expect(answering(async () => wrong)).rejects.toMatchObject({ code: 'wallet/no-answer' })
})
