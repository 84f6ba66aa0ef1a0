import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'

const options = {
  ...dataOptions,
  json: { type: 'boolean', default: false },
  domain: { type: 'string' },
  nonce: { type: 'string' },
  statement: { type: 'string' },
  uri: { type: 'string' },
  'issued-at': { type: 'string' },
  'expiration-time': { type: 'string' },
} as const

export const walletCommand: Command = {
  summary: "show this device's Solana wallet, and sign with it",
  help: `Each device has a wallet with a key of its own, certified by the device. It signs texts, sign-ins and the ledger's anchors, and
nothing that moves money.

  elsewhere wallet                 its address; --json also prints the certificate that says whose it is
  elsewhere wallet sign TEXT       sign a text
  elsewhere wallet sign-in --domain HOST --nonce NONCE
                                   answer a sign-in of the wallet standard; also --statement, --uri, --issued-at, --expiration-time
  elsewhere wallet listed          wallets of browsers that may open a display here; list one in Settings, Security
  elsewhere wallet unlist ADDRESS  it opens none any more, and what it opened locks

  --json       for programs
${DATA_OPTION}`,
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [what = 'show', text] = positionals
    const { domain, nonce } = values
    return withDevice(values.data, async (device) => {
      switch (what) {
        case 'show': {
          const certificate = await device.readWallet({})
          console.log(values.json ? JSON.stringify(certificate, undefined, 1) : certificate.address)
          return 0
        }
        case 'sign': {
          if (text === undefined) throw new TypeError('TEXT is missing: what is to be signed')
          return print(await device.signWalletMessage({ text }), values.json)
        }
        case 'sign-in': {
          if (!domain || !nonce) throw new TypeError('a sign-in needs --domain and --nonce, as the place that asks for it gave them')
          const { statement, uri, 'issued-at': issuedAt, 'expiration-time': expirationTime } = values
          return print(await device.signInWithWallet({ domain, nonce, statement, uri, issuedAt, expirationTime }), values.json)
        }
        case 'listed': {
          const { wallets } = await device.listWallets({})
          if (values.json) console.log(JSON.stringify(wallets, undefined, 1))
          else if (wallets.length === 0) console.log('No wallet may open a display here; list one in Settings, Security.')
          else for (const { address, name } of wallets) console.log(`${address}  ${name}`)
          return 0
        }
        case 'unlist': {
          const { wallets } = await device.listWallets({})
          if (!wallets.some(({ address }) => address === text)) throw new TypeError('ADDRESS is none that "elsewhere wallet listed" shows')
          await device.removeListedWallet({ address: text as string })
          return 0
        }
        default:
          throw new TypeError('"elsewhere wallet --help" says what can be done')
      }
    })
  },
}

function print(signed: { readonly address: string; readonly signedMessage: string; readonly signature: string }, isJson: boolean): number {
  if (isJson) console.log(JSON.stringify(signed, undefined, 1))
  else
    console.log(`${Buffer.from(signed.signedMessage, 'base64').toString()}\n\nWallet     ${signed.address}\nSignature  ${signed.signature}`)
  return 0
}
