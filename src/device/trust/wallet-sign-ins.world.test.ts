import { PublicKey, SystemProgram, TransactionMessage, VersionedTransaction } from '@solana/web3.js'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { toBase58 } from '../../base/base58.ts'
import { fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import { PATIENT, pair } from '../../testkit/paired-devices.ts'
import { StandardWallet } from '../../testkit/standard-wallet.ts'

const HOST = 'abcdefghijkm.localhost:4000'
const refused = { code: 'wallet/refused-sign-in' }
const notPossible = { code: 'wallet/not-possible' }

type Display = ReturnType<WorldDevice['connect']>

let world: DeviceWorld
let laptop: WorldDevice
let owner: Display
let phantom: StandardWallet

beforeEach(async () => {
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  phantom = new StandardWallet({ name: 'Phantomlike', seed: 5 })
  owner = laptop.connect('owner', HOST)
  await owner.hello({ displayName: 'the owner' })
  await owner.createVault({ personName: 'Ada', deviceName: 'laptop', passphrase: PASSPHRASE, unattended: false })
})
afterEach(() => {
  expect(laptop.errors).toEqual([])
  world.dispose()
})

const list = async (wallet = phantom, passphrase = PASSPHRASE) => {
  const answer = wallet.answer(await owner.askWalletListing({}))
  await owner.addListedWallet({ passphrase, name: wallet.name, answer })
}
const stranger = async (host: string | undefined = HOST) => {
  const display = laptop.connect('another cookie', host)
  return { display, door: await display.hello({ displayName: 'kitchen' }) }
}
/** The desk's document, as a page has it. */
async function workspaceOf(display: Display) {
  const { channel: id, clientId } = await display.attachDocument({ doc: 'workspace' })
  const doc = new Y.Doc()
  doc.clientID = clientId
  const channel = display.channel(id)
  channel.onDidReceive((message) => (message[0] as number) < 2 && Y.applyUpdate(doc, message.subarray(1), 'device'))
  doc.on('update', (update: Uint8Array, origin: unknown) => origin === 'device' || channel.send(Uint8Array.from([1, ...update])))
  return doc
}
const entries = async (kind: string) => {
  const { rows } = await owner.listLedger({})
  return rows.filter((row) => row.kind === kind).map((row) => ({ ...row, event: JSON.parse(row.body).event }))
}

describe('a listed wallet', () => {
  it('[DV70] opens a display of a device whose vault is open, and no key of it', async () => {
    expect((await stranger()).door.walletSignIn).toBe(false)
    await list()
    const { display, door } = await stranger()
    expect([door.phase, door.walletSignIn]).toEqual(['display-locked', true])
    await owner.lockDisplay({}) // the person's keys are wiped
    const opened = await display.signInByWallet({ answer: phantom.answer(await display.askWalletSignIn({})), how: 'move' })
    expect(opened.phase).toBe('unlocked')
    expect((await display.readSettings({})).deviceName).toBe('laptop')
    // what takes the person's key still takes the passphrase
    await expect(display.makeRecoveryKit({ passphrase: 'a wallet signed in' })).rejects.toMatchObject({ code: 'vault/wrong-passphrase' })
    expect((await laptop.control().status({})).phase).toBe('open')
  })

  it('[DV70] opens nothing while the device is locked, and after a restart not before the passphrase', async () => {
    await list()
    const { display } = await stranger()
    const early = await display.askWalletSignIn({})
    await owner.lockDevice({})
    await expect(display.askWalletSignIn({})).rejects.toMatchObject(notPossible)
    await expect(display.signInByWallet({ answer: phantom.answer(early), how: 'move' })).rejects.toMatchObject(notPossible)
    expect((await display.hello({ displayName: 'kitchen' })).walletSignIn).toBe(false)
    laptop.stop()
    await laptop.start()
    const again = laptop.connect('x', HOST)
    await again.hello({ displayName: 'kitchen' })
    await expect(again.askWalletSignIn({})).rejects.toMatchObject(notPossible)
    await laptop.control().unlockDevice({ passphrase: PASSPHRASE })
    await vi.waitFor(async () => expect((await again.hello({ displayName: 'kitchen' })).walletSignIn).toBe(true), { timeout: 30_000 })
    await again.signInByWallet({ answer: phantom.answer(await again.askWalletSignIn({})), how: 'move' })
  })

  it('[DV71] is listed by the passphrase and by its own signature, and by nothing less', async () => {
    await expect(list(phantom, 'not the passphrase')).rejects.toMatchObject({ code: 'vault/wrong-passphrase' })
    expect((await owner.listWallets({})).wallets).toEqual([])
    laptop.clockOffsetMs += 60_000 // wrong tries are slowed
    // an answer for signing in lists nobody, and the other way round
    await list()
    const { display } = await stranger()
    const other = new StandardWallet({ name: 'Other', seed: 6 })
    const answer = other.answer(await display.askWalletSignIn({}))
    await expect(owner.addListedWallet({ passphrase: PASSPHRASE, name: 'Other', answer })).rejects.toMatchObject(refused)
    const listing = phantom.answer(await owner.askWalletListing({}))
    await expect(display.signInByWallet({ answer: listing, how: 'move' })).rejects.toMatchObject(refused)
    expect((await owner.listWallets({})).wallets.map(({ address, name }) => [address, name])).toEqual([[phantom.address, 'Phantomlike']])
  })

  it('[DV71] a locked display, and the command line, list none', async () => {
    const { display } = await stranger()
    await expect(display.askWalletListing({})).rejects.toMatchObject({ code: 'rpc/refused' })
    await expect(laptop.control().askWalletListing({})).rejects.toMatchObject(notPossible)
  })

  it('[DV72] that is removed opens nothing more, and what it opened locks', async () => {
    await list()
    const { display } = await stranger()
    const question = await display.askWalletSignIn({})
    await display.signInByWallet({ answer: phantom.answer(await display.askWalletSignIn({})), how: 'beside' })
    await owner.removeListedWallet({ address: phantom.address })
    expect((await display.hello({ displayName: 'kitchen' })).phase).toBe('display-locked')
    expect((await owner.hello({ displayName: 'the owner' })).phase).toBe('unlocked')
    await expect(display.signInByWallet({ answer: phantom.answer(question), how: 'move' })).rejects.toMatchObject(notPossible)
    await expect(display.askWalletSignIn({})).rejects.toMatchObject(notPossible)
  })

  it('[DV72] what it opened, and what goes on of that after the desk was opened anew, locks with it', async () => {
    const phone = await world.install('phone')
    await phone.setUp()
    await pair(laptop, phone)
    const there = phone.connect('another cookie')
    await there.hello({ displayName: 'phone' })
    await there.unlock({ passphrase: PASSPHRASE, how: 'beside' })
    await list()
    const { display } = await stranger()
    await display.signInByWallet({ answer: phantom.answer(await display.askWalletSignIn({})), how: 'beside' })
    // what the phone wrote is taken out: the desk opens anew, and displays go on
    const text = (doc: Y.Doc) => doc.getText('test').toString()
    const [far, near] = [await workspaceOf(there), await workspaceOf(display)]
    const sinceMs = Date.now()
    far.getText('test').insert(0, 'BAD')
    await vi.waitFor(() => expect(text(near)).toBe('BAD'), PATIENT)
    const deviceId = (await owner.listDevices({})).find(({ name }) => name === 'phone')?.deviceId as string
    await laptop.control().undoDeviceSince({ deviceId, sinceMs, dryRun: false })
    const back = laptop.connect('another cookie', HOST)
    const phase = async () => (await back.hello({ displayName: 'kitchen' })).phase
    await vi.waitFor(async () => expect(await phase()).toBe('unlocked'), PATIENT)
    await laptop.control().removeListedWallet({ address: phantom.address })
    expect(await phase()).toBe('display-locked')
  })

  it('[DV72] a page that asks for the list as soon as it is open gets it, however slow the disk is', async () => {
    await list()
    laptop.stop()
    const read = laptop.vaultStore.read.bind(laptop.vaultStore)
    laptop.vaultStore.read = async (file) => {
      if (file === 'wallets') await new Promise((resolve) => setTimeout(resolve, 300))
      return read(file)
    }
    await laptop.start()
    const display = laptop.connect('x', HOST)
    await display.hello({ displayName: 'x' })
    await display.unlock({ passphrase: PASSPHRASE, how: 'move' })
    expect((await display.listWallets({})).wallets.map(({ address }) => address)).toEqual([phantom.address])
    laptop.vaultStore.read = read
  })

  it('[DV72] at most eight; the list is sealed, so that changing or swapping a file lists nobody', async () => {
    for (let seed = 10; seed < 18; seed++) await list(new StandardWallet({ name: `W${seed}`, seed }))
    await expect(list()).rejects.toMatchObject({ code: 'wallet/too-many' })
    const file = laptop.vaultStore.files.get('wallets') as Uint8Array
    expect(new TextDecoder('latin1').decode(file)).not.toContain('W10')
    laptop.stop()
    const forged = utf8(JSON.stringify({ version: 1, wallets: [{ address: phantom.address, name: 'P', addedAtMs: 0 }] }))
    laptop.vaultStore.files.set('wallets', forged)
    await laptop.start()
    await laptop.control().unlockDevice({ passphrase: PASSPHRASE })
    const display = laptop.connect('x', HOST)
    await display.hello({ displayName: 'kitchen' })
    await expect(display.askWalletSignIn({})).rejects.toMatchObject(notPossible)
  })
})

describe('attacks on signing in', () => {
  let display: Display
  beforeEach(async () => {
    await list()
    display = (await stranger()).display
  })
  afterEach(async () => {
    phantom.change = (input) => input
    // none of it opened the display, and the honest way still does
    expect((await display.hello({ displayName: 'kitchen' })).phase).toBe('display-locked')
    await display.signInByWallet({ answer: phantom.answer(await display.askWalletSignIn({})), how: 'move' })
  })
  const enter = (answer: ReturnType<StandardWallet['answer']>) => display.signInByWallet({ answer, how: 'move' })

  it.each([
    ['the domain of another place', { domain: 'evil.example' }],
    ['the domain of another device', { domain: 'zzzzzzzzzzzz.localhost:4000' }],
    ['another port of this host', { domain: 'abcdefghijkm.localhost:4001' }],
    ['another address of the page', { uri: 'http://evil.example' }],
    ['another text', { statement: 'Win a prize' }],
    ['a nonce of its own', { nonce: '0123456789abcdef' }],
    ['no nonce', { nonce: undefined }],
    ['a longer life', { expirationTime: '2999-01-01T00:00:00.000Z' }],
    ['something besides', { chainId: 'mainnet' }],
    ['resources', { resources: ['https://evil.example/'] }],
    ['an address that is not its key', { address: '11111111111111111111111111111112' }],
  ])('[DV73] a text with %s signs nobody in', async (_, change) => {
    phantom.change = (input) => ({ ...input, ...change })
    await expect(enter(phantom.answer(await display.askWalletSignIn({})))).rejects.toMatchObject(refused)
  })

  it('[DV73] a question is answered once, within five minutes, and by the display that asked', async () => {
    const first = phantom.answer(await display.askWalletSignIn({}))
    const { display: elsewhere } = await stranger()
    await expect(elsewhere.signInByWallet({ answer: first, how: 'move' })).rejects.toMatchObject(refused)
    expect((await enter(first)).phase).toBe('unlocked')
    await display.lockDisplay({})
    await expect(enter(first)).rejects.toMatchObject(refused)
    const stale = phantom.answer(await display.askWalletSignIn({}))
    laptop.clockOffsetMs += 5 * 60_000
    await expect(enter(stale)).rejects.toMatchObject(refused)
    const ahead = phantom.answer(await display.askWalletSignIn({}))
    laptop.clockOffsetMs -= 60_000 // set back: the answer is from what is now the future
    await expect(enter(ahead)).rejects.toMatchObject(refused)
    laptop.clockOffsetMs += 60_000
  })

  it('[DV73] another wallet is nobody, also under the name of a listed one', async () => {
    const other = new StandardWallet({ name: 'Other', seed: 9 })
    await expect(enter(other.answer(await display.askWalletSignIn({})))).rejects.toMatchObject({ code: 'wallet/not-listed' })
    other.change = (input) => ({ ...input, address: phantom.address })
    const named = other.answer(await display.askWalletSignIn({}))
    await expect(enter(named)).rejects.toMatchObject(refused)
    await expect(enter({ ...named, address: phantom.address })).rejects.toMatchObject(refused)
    const lent = { ...other.answer(await display.askWalletSignIn({})), address: phantom.address, publicKey: toBase64Url(phantom.publicKey) }
    await expect(enter(lent)).rejects.toMatchObject(refused)
  })

  it('[DV73] a key under which every signature is right is nobody, and cannot be listed', async () => {
    const publicKey = Uint8Array.of(1, ...new Uint8Array(31))
    const forge = (question: object) => ({
      ...phantom.answer({ ...question, address: toBase58(publicKey) }),
      address: toBase58(publicKey),
      publicKey: toBase64Url(publicKey),
      signature: toBase64Url(Uint8Array.of(1, ...new Uint8Array(63))),
    })
    await expect(enter(forge(await display.askWalletSignIn({})))).rejects.toMatchObject(refused)
    const listing = forge(await owner.askWalletListing({}))
    await expect(owner.addListedWallet({ passphrase: PASSPHRASE, name: 'x', answer: listing })).rejects.toMatchObject(refused)
  })

  it('[DV73] a transaction in the place of a text signs nobody in, nor do bytes that are no text', async () => {
    const payer = new PublicKey(phantom.publicKey)
    const transfer = SystemProgram.transfer({ fromPubkey: payer, toPubkey: payer, lamports: 1 })
    const message = new TransactionMessage({ payerKey: payer, recentBlockhash: phantom.address, instructions: [transfer] })
    const question = await display.askWalletSignIn({})
    await expect(
      enter(phantom.answerWith(new VersionedTransaction(message.compileToV0Message()).message.serialize())),
    ).rejects.toMatchObject(refused)
    const text = fromBase64Url(phantom.answer(question).signedMessage)
    for (const bytes of [
      Uint8Array.of(0xef, 0xbb, 0xbf, ...text),
      Uint8Array.of(0x80, ...text),
      Uint8Array.of(...text, 0x0a),
      Uint8Array.of(0xff),
    ])
      await expect(enter(phantom.answerWith(bytes))).rejects.toMatchObject(refused)
    const half = phantom.answer(await display.askWalletSignIn({}))
    await expect(enter({ ...half, signature: toBase64Url(new Uint8Array(64)) })).rejects.toMatchObject(refused)
  })

  it('[DV73] what did not come as a page of this device asks no wallet', async () => {
    const { display: bare } = await stranger('')
    const nowhere = laptop.connect('x')
    await nowhere.hello({ displayName: 'x' })
    await expect(nowhere.askWalletSignIn({})).rejects.toMatchObject(notPossible)
    await expect(
      bare.signInByWallet({ answer: phantom.answer({ ...(await display.askWalletSignIn({})) }), how: 'move' }),
    ).rejects.toMatchObject(refused)
  })
})

it('[DV74] every sign-in of a page is signed by a wallet and in the ledger: by the device’s own, or by the one that opened it', async () => {
  const { address } = await owner.readWallet({})
  await vi.waitFor(async () => expect(await entries('signed-in')).toHaveLength(1), { timeout: 30_000 })
  await list()
  const { display } = await stranger()
  await display.signInByWallet({ answer: phantom.answer(await display.askWalletSignIn({})), how: 'beside' })
  const [byWallet, byPassphrase] = await entries('signed-in')
  expect([byWallet?.event.way, byWallet?.event.wallet]).toEqual(['wallet', phantom.address])
  expect([byPassphrase?.event.way, byPassphrase?.event.wallet]).toEqual(['passphrase', address])
  for (const { event } of [byWallet, byPassphrase] as NonNullable<typeof byWallet>[]) {
    expect(event.text).toContain(`${HOST} wants you to sign in with your Solana account:\n${event.wallet}\n`)
    const key = event.way === 'wallet' ? phantom.publicKey : new PublicKey(address).toBytes()
    expect(world.crypto.verify(key, utf8(event.text), fromBase64Url(event.sig))).toBe(true)
  }
  expect(byPassphrase?.sentence).toBe('A display was opened with the passphrase; this device’s wallet signed it')
})
