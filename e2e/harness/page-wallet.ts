import type { Page } from 'playwright-core'
import type { StandardWallet } from '../../src/testkit/standard-wallet.ts'

/** Only what a page's script can see. */
interface FromTest {
  readonly name: string
  readonly address: string
  readonly publicKey: number[]
}
type Asked = Readonly<Record<string, unknown>>

/**
 * Puts a wallet into every page of a browser context's page, as an extension does: by the events of the wallet standard. Its key and
 * person stay with the test. Before the page is opened.
 */
export async function installWallet(page: Page, wallet: StandardWallet): Promise<void> {
  const binding = `wallet_${wallet.address}`
  await page.exposeFunction(binding, (input: Asked) => {
    const { signedMessage, signature } = wallet.signIn(input)
    return { signedMessage: [...signedMessage], signature: [...signature] }
  })
  await page.addInitScript(register, { from: { name: wallet.name, address: wallet.address, publicKey: [...wallet.publicKey] }, binding })
}

/** Runs in the page. */
function register({ from, binding }: { from: FromTest; binding: string }): void {
  const account = {
    address: from.address,
    publicKey: Uint8Array.from(from.publicKey),
    chains: ['solana:mainnet'],
    features: ['solana:signIn'],
  }
  const ask = (globalThis as unknown as Record<string, (input: object) => Promise<{ signedMessage: number[]; signature: number[] }>>)[
    binding
  ]
  const wallet = {
    version: '1.0.0',
    name: from.name,
    icon: 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAxNiAxNiI+PHJlY3Qgd2lkdGg9IjE2IiBoZWlnaHQ9IjE2IiByeD0iNCIgZmlsbD0iIzg3OGJmZiIvPjwvc3ZnPg==',
    chains: ['solana:mainnet'],
    accounts: [account],
    features: {
      'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: [account] }) },
      'standard:events': { version: '1.0.0', on: () => () => undefined },
      'solana:signIn': {
        version: '1.0.0',
        signIn: async (...inputs: object[]) => {
          const outputs = []
          for (const input of inputs) {
            const { signedMessage, signature } = await (ask as NonNullable<typeof ask>)(input)
            outputs.push({
              account,
              signedMessage: Uint8Array.from(signedMessage),
              signature: Uint8Array.from(signature),
              signatureType: 'ed25519',
            })
          }
          return outputs
        },
      },
    },
  }
  const callback = (api: { register(wallet: object): void }) => api.register(wallet)
  window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: callback }))
  window.addEventListener('wallet-standard:app-ready', (event) => callback((event as CustomEvent).detail))
}
