import {
  ComputeBudgetProgram,
  Keypair,
  PublicKey,
  SystemProgram,
  Transaction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { BaseSignInMessageSignerWalletAdapter, type WalletError } from '@solana/wallet-adapter-base'
import { createSignInMessage, parseSignInMessageText, verifySignIn } from '@solana/wallet-standard-util'
import { describe, expect, it } from 'vitest'
import { toBase58 } from '../../base/base58.ts'
import { fromHex, toHex, utf8 } from '../../base/bytes.ts'
import { type DeviceId, deviceIdOf } from '../../base/ids.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { DeviceWalletAdapter } from './device-wallet-adapter.ts'
import { SignInCheck } from './sign-in-check.ts'
import { formatSignIn, parseSignIn } from './sign-in-text.ts'
import { readSolanaMessage, readSolanaTransaction } from './solana-message.ts'
import { certifyWallet, readWalletCertificate } from './wallet-certificate.ts'
import { MEMO_PROGRAMS, WalletKey } from './wallet-key.ts'
import { WalletPublicKey } from './wallet-public-key.ts'

const crypto = new SodiumCrypto()
const keyOf = (seed: number) => crypto.signingKey(new Uint8Array(32).fill(seed))
const wallet = new WalletKey(keyOf(1))
const stranger = new WalletKey(keyOf(2))
const owner = new PublicKey(wallet.publicKey)
const refused = expect.objectContaining({ code: 'wallet/refused' })
const BLOCKHASH = toBase58(new Uint8Array(32).fill(7))

const memo = (text = 'hello', by = owner) => ({
  programId: new PublicKey(MEMO_PROGRAMS[0] as string),
  keys: [{ pubkey: by, isSigner: true, isWritable: false }],
  data: Buffer.from(text),
})
const transfer = SystemProgram.transfer({ fromPubkey: owner, toPubkey: new PublicKey(stranger.publicKey), lamports: 1 })
const versioned = (...instructions: TransactionMessage['instructions']) =>
  new VersionedTransaction(new TransactionMessage({ payerKey: owner, recentBlockhash: BLOCKHASH, instructions }).compileToV0Message())
const legacy = (...instructions: TransactionMessage['instructions']) => {
  const transaction = new Transaction({ feePayer: owner, blockhash: BLOCKHASH, lastValidBlockHeight: 1 })
  return transaction.add(...instructions)
}
const signInText = (more: object = {}) =>
  formatSignIn({ domain: 'desk.localhost:8080', address: wallet.address, nonce: '0123456789', version: '1', ...more })

describe('the wallet key', () => {
  it('[ID110] belongs to its device both ways: neither can claim the other', () => {
    const device = keyOf(3)
    const signer = { device: deviceIdOf(device.publicKey), sign: (bytes: Uint8Array) => device.sign(bytes) }
    const certificate = certifyWallet(signer, wallet)
    expect(readWalletCertificate(crypto, JSON.parse(JSON.stringify(certificate)))).toEqual(certificate)
    const other = certifyWallet(signer, stranger)
    const spoiled = [
      { ...certificate, address: stranger.address },
      { ...certificate, address: stranger.address, sig: other.sig },
      { ...certificate, device: stranger.address as DeviceId },
      { ...certificate, version: 2 },
      { ...certificate, device: '0'.repeat(40) },
      undefined,
    ]
    for (const wrong of spoiled)
      expect(() => readWalletCertificate(crypto, wrong)).toThrow(expect.objectContaining({ code: 'wallet/malformed' }))
    expect(() => wallet.sign('message', utf8('elsewhere/wallet-proof/1\0'))).toThrow(refused)
  })

  it('[ID112] signs a text as a message, and neither a transaction, a sign-in nor what devices sign', () => {
    const text = utf8('Grüße, this is me')
    expect(crypto.verify(wallet.publicKey, text, wallet.sign('message', text))).toBe(true)
    const wrong = [
      legacy(memo()).serializeMessage(),
      versioned(memo()).message.serialize(),
      utf8(signInText()),
      utf8('elsewhere/ledger/1\0{}'),
      new Uint8Array(),
      Uint8Array.of(0x80),
      Uint8Array.of(0xff, ...utf8('solana offchain')),
      Uint8Array.of(0x41, 0xc3),
      utf8('x'.repeat(5_000)),
    ]
    for (const bytes of wrong) expect(() => wallet.sign('message', new Uint8Array(bytes)), toHex(bytes.subarray(0, 40))).toThrow(refused)
  })

  it('[ID113] signs a sign-in that names this wallet and has a nonce, and no other text as one', () => {
    expect(wallet.sign('sign-in', utf8(signInText()))).toHaveLength(64)
    const wrong = [
      signInText({ address: stranger.address }),
      signInText({ nonce: 'short' }),
      signInText({ nonce: undefined }),
      'a text',
      `${signInText()}\n`,
    ]
    for (const text of wrong) expect(() => wallet.sign('sign-in', utf8(text)), text).toThrow(refused)
  })

  it('[ID114] signs memos paid by itself alone, and nothing that moves money or that another must sign', () => {
    for (const transaction of [versioned(memo()).message.serialize(), legacy(memo(), memo('again')).serializeMessage()]) {
      expect(crypto.verify(wallet.publicKey, transaction, wallet.sign('transaction', new Uint8Array(transaction)))).toBe(true)
    }
    const wrong = [
      versioned(transfer).message.serialize(),
      versioned(memo(), transfer).message.serialize(),
      versioned(memo(), ComputeBudgetProgram.setComputeUnitPrice({ microLamports: 2 ** 40 })).message.serialize(),
      versioned(memo('both', new PublicKey(stranger.publicKey))).message.serialize(),
      versioned().message.serialize(),
      utf8('a text'),
    ]
    for (const bytes of wrong) expect(() => wallet.sign('transaction', new Uint8Array(bytes))).toThrow(refused)
    expect(() => stranger.sign('transaction', versioned(memo()).message.serialize())).toThrow(refused)
  })

  it('[ID111] no bytes are taken for two purposes, whatever they are (seeded)', () => {
    const seed = seedOfRun()
    const random = new SeededRandom(seed)
    const sources = [
      versioned(memo('a')).message.serialize(),
      new Uint8Array(legacy(memo()).serializeMessage()),
      utf8(signInText()),
      utf8('text'),
    ]
    const search = (signer: Pick<WalletKey, 'sign'>) => {
      for (let round = 0; round < roundsOfRun(400, 20_000); round++) {
        const bytes = random.pick(sources).slice()
        for (let flips = random.below(3); flips > 0; flips--) bytes[random.below(bytes.length)] = random.below(256)
        const taken = (['message', 'sign-in', 'transaction'] as const).filter((purpose) => {
          try {
            return signer.sign(purpose, bytes).length > 0
          } catch {
            return false
          }
        })
        if (taken.length > 1) throw new Error(`seed ${seed}, round ${round}: ${toHex(bytes)} is taken as ${taken.join(' and ')}`)
      }
    }
    search(wallet)
    const planted: Pick<WalletKey, 'sign'> = {
      sign: (purpose, bytes) => (purpose === 'message' ? new Uint8Array(64) : wallet.sign(purpose, bytes)),
    }
    expect(() => search(planted), 'planted: a wallet that signs everything as a message').toThrow(/seed \d+, round \d+/)
  })
})

describe('reading transactions', () => {
  it('[ID114] reads what the Solana library writes', () => {
    const made = versioned(memo('one'), memo('two'))
    made.sign([Keypair.fromSeed(new Uint8Array(32).fill(1))])
    const read = readSolanaTransaction(made.serialize())
    expect(read?.message).toMatchObject({ version: 0, signers: [wallet.address], blockhash: BLOCKHASH })
    expect(read?.message.instructions.map(({ program, data }) => [program, Buffer.from(data).toString()])).toEqual([
      [MEMO_PROGRAMS[0], 'one'],
      [MEMO_PROGRAMS[0], 'two'],
    ])
    expect(crypto.verify(wallet.publicKey, read?.messageBytes ?? new Uint8Array(), read?.signatures[0] ?? new Uint8Array())).toBe(true)
    expect(readSolanaMessage(new Uint8Array(legacy(memo()).serializeMessage()))).toMatchObject({
      version: 'legacy',
      signers: [wallet.address],
    })
  })

  it('[ID114] cut, prolonged and invented bytes are no transaction, and never an exception (seeded)', () => {
    const whole = versioned(memo('one')).serialize()
    for (let length = 0; length < whole.length; length++) expect(readSolanaTransaction(whole.subarray(0, length))).toBeUndefined()
    expect(readSolanaTransaction(Uint8Array.of(...whole, 0))).toBeUndefined()
    const random = new SeededRandom(seedOfRun())
    for (let round = 0; round < roundsOfRun(300, 5_000); round++) {
      const bytes = random.chance(0.5) ? random.bytes(random.below(300)) : whole.slice()
      bytes[random.below(bytes.length || 1)] = random.below(256)
      readSolanaTransaction(bytes)
      readSolanaMessage(bytes)
    }
  })
})

describe('sign-in texts', () => {
  it('[ID113] are written as the wallet standard writes them, and read back (seeded)', () => {
    const random = new SeededRandom(seedOfRun())
    const optional = {
      statement: 'Sign in to the desk',
      uri: 'http://a.b/',
      version: '1',
      chainId: 'devnet',
      nonce: '12345678',
      issuedAt: '2026-11-29T00:00:00.000Z',
      expirationTime: '2026-11-30T00:00:00.000Z',
      notBefore: '2026-11-29T00:00:00.000Z',
      requestId: 'r1',
      resources: ['http://a/', 'http://b/'],
    }
    for (let round = 0; round < roundsOfRun(200, 5_000); round++) {
      const some = Object.fromEntries(Object.entries(optional).filter(() => random.chance(0.5)))
      const input = { domain: 'desk.localhost:8080', address: wallet.address, ...some }
      const text = formatSignIn(input)
      expect(text).toBe(new TextDecoder().decode(createSignInMessage(input)))
      expect(parseSignIn(text)).toEqual(input)
      expect(parseSignInMessageText(text)).toMatchObject(some)
    }
    for (const wrong of [
      '',
      'x',
      `${signInText()}\n`,
      signInText().replace('Version', 'Vision'),
      signInText({ statement: 'two\nlines' }),
      signInText({ domain: 'a b' }),
    ]) {
      expect(parseSignIn(wrong), wrong).toBeUndefined()
    }
  })
})

describe('this device as a wallet adapter', () => {
  const adapter = () => {
    const made = new DeviceWalletAdapter(async () => wallet)
    const events: string[] = []
    made.on('connect', (key) => events.push(`connect ${key.toBase58()}`))
    made.on('disconnect', () => events.push('disconnect'))
    made.on('error', (error: WalletError) => events.push(error.name))
    return { made, events }
  }

  it('[ID115] is what an app expects of any wallet: connects, signs, signs in, disconnects, and tells', async () => {
    const { made, events } = adapter()
    expect(made).toBeInstanceOf(BaseSignInMessageSignerWalletAdapter)
    await expect(made.signMessage(utf8('early'))).rejects.toMatchObject({ name: 'WalletNotConnectedError' })
    await Promise.all([made.connect(), made.connect()])
    expect([made.connected, made.publicKey?.toBase58()]).toEqual([true, wallet.address])
    expect(crypto.verify(wallet.publicKey, utf8('hi'), await made.signMessage(utf8('hi')))).toBe(true)
    const input = { domain: 'desk.localhost:8080', nonce: '0123456789', statement: 'Hello' }
    const key = new WalletPublicKey(wallet.publicKey)
    expect([`${key}`, JSON.stringify(key), key.equals(owner), key.equals(new PublicKey(stranger.publicKey))]).toEqual([
      owner.toBase58(),
      JSON.stringify(owner),
      true,
      false,
    ])
    const output = await made.signIn(input)
    expect(verifySignIn(input, { ...output, account: { ...output.account, publicKey: wallet.publicKey } })).toBe(true)
    for (const transaction of [versioned(memo()), legacy(memo())]) {
      const signed = await made.signTransaction(transaction)
      const read = readSolanaTransaction(new Uint8Array(signed.serialize()))
      expect(crypto.verify(wallet.publicKey, read?.messageBytes ?? new Uint8Array(), read?.signatures[0] ?? new Uint8Array())).toBe(true)
    }
    await made.disconnect()
    expect(events).toEqual(['WalletNotConnectedError', `connect ${wallet.address}`, 'disconnect'])
  })

  it('[ID115] what the wallet refuses is an error of the adapter that holds ours', async () => {
    const { made, events } = adapter()
    await made.connect()
    await expect(made.signTransaction(versioned(transfer))).rejects.toMatchObject({ name: 'WalletSignTransactionError', error: refused })
    await expect(made.signMessage(versioned(memo()).message.serialize())).rejects.toMatchObject({
      name: 'WalletSignMessageError',
      error: refused,
    })
    await expect(made.signIn({ nonce: '0123456789' })).rejects.toMatchObject({ name: 'WalletSignInError' })
    await expect(made.signIn({ domain: 'a.b', nonce: '0123456789', address: stranger.address })).rejects.toMatchObject({ error: refused })
    expect(events.slice(1)).toEqual(['WalletSignTransactionError', 'WalletSignMessageError', 'WalletSignInError', 'WalletSignInError'])
    const locked = new DeviceWalletAdapter(() => Promise.reject(new Error('locked')))
    await expect(locked.connect()).rejects.toMatchObject({ name: 'WalletConnectionError', message: 'locked' })
    expect([locked.connected, locked.connecting]).toEqual([false, false])
  })
})

describe('checking a sign-in', () => {
  const clock = new ManualClock(1_800_000_000_000)
  const ask = (check = new SignInCheck(crypto, clock)) => {
    const question = check.ask({ domain: 'desk.localhost:8080', uri: 'http://desk.localhost:8080/', statement: 'Sign in to the desk' })
    return { check, question }
  }
  const answer = (text: string, by = wallet) => ({
    address: by.address,
    publicKey: by.publicKey,
    signedMessage: utf8(text),
    signature: keyOf(by === wallet ? 1 : 2).sign(utf8(text)),
  })
  const stock = (input: object, { publicKey, ...rest }: ReturnType<typeof answer>, address = wallet.address) =>
    verifySignIn(input as never, { ...rest, account: { address, publicKey, chains: [], features: [] } } as never)
  const notSignedIn = expect.objectContaining({ code: 'wallet/refused-sign-in' })

  it('[ID116] the wallet that answered is the one that signed in, once', () => {
    const { check, question } = ask()
    const given = answer(formatSignIn({ ...question, address: wallet.address }))
    expect(check.take(given)).toBe(wallet.address)
    expect(() => check.take(given)).toThrow(notSignedIn)
    expect(() => check.take({ ...given, signedMessage: utf8('no sign-in') })).toThrow(notSignedIn)
  })

  it('[ID116] expired, and from a clock before it was asked (the stock verifier takes it)', () => {
    const { check, question } = ask()
    const given = answer(formatSignIn({ ...question, address: wallet.address }))
    expect(stock(question, given)).toBe(true)
    clock.advance(5 * 60_000)
    expect(() => check.take(given)).toThrow(notSignedIn)
  })

  it('[ID117] the address of somebody else under an own key (the stock verifier takes it)', () => {
    const { check, question } = ask()
    const given = answer(formatSignIn({ ...question, address: wallet.address }), stranger)
    expect(stock(question, given)).toBe(true)
    expect(() => check.take(given)).toThrow(notSignedIn)
  })

  it('[ID118] another domain, another text, a field more or less (the stock verifier takes a domain that was not asked for)', () => {
    for (const more of [
      { domain: 'evil.example' },
      { statement: 'Pay' },
      { uri: undefined },
      { chainId: 'mainnet' },
      { expirationTime: '2999-01-01T00:00:00.000Z' },
    ]) {
      const { check, question } = ask()
      const given = answer(formatSignIn({ ...question, address: wallet.address, ...more }))
      const { domain: _, ...asked } = question
      if (more.domain) expect(stock(asked, given)).toBe(true)
      expect(() => check.take(given), JSON.stringify(more)).toThrow(notSignedIn)
    }
  })

  it('[ID119] a key under which every signature is right (the stock verifier takes it)', () => {
    const { check, question } = ask()
    const publicKey = fromHex(`01${'00'.repeat(31)}`)
    const address = toBase58(publicKey)
    const signature = fromHex(`01${'00'.repeat(63)}`)
    const given = { address, publicKey, signature, signedMessage: utf8(formatSignIn({ ...question, address })) }
    expect(stock(question, given as never, address)).toBe(true)
    expect(() => check.take(given)).toThrow(notSignedIn)
  })

  it('[ID116] questions that nobody answers are bounded', () => {
    const check = new SignInCheck(crypto, clock)
    const { question } = ask(check)
    for (let n = 0; n < 64; n++) ask(check)
    expect(() => check.take(answer(formatSignIn({ ...question, address: wallet.address })))).toThrow(notSignedIn)
  })
})
