import { afterEach, beforeEach, expect, it } from 'vitest'
import { fromBase58 } from '../../base/base58.ts'
import { walletControlContract } from '../../identity/wallet-contract.ts'
import { readWalletCertificate } from '../../identity/wallet/wallet-certificate.ts'
import { displayContract } from '../display-contract.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'

let world: DeviceWorld
let laptop: WorldDevice

beforeEach(async () => {
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  await laptop.setUp()
})
afterEach(() => {
  expect(laptop.errors).toEqual([])
  world.dispose()
})

const isSigned = ({ address, signedMessage, signature }: { address: string; signedMessage: string; signature: string }) =>
  world.crypto.verify(fromBase58(address), new Uint8Array(Buffer.from(signedMessage, 'base64')), fromBase58(signature))

it('[DV61] the wallet is shown to displays, signs for the command line, and for no display', async () => {
  const control = laptop.control()
  const certificate = readWalletCertificate(world.crypto, await control.readWallet({}))
  const { deviceId } = await control.status({})
  expect([certificate.device, certificate.address === deviceId]).toEqual([deviceId, false])
  const signed = await control.signWalletMessage({ text: 'this is me' })
  expect([signed.address, isSigned(signed)]).toEqual([certificate.address, true])
  const signIn = await control.signInWithWallet({ domain: 'desk.test', nonce: '0123456789', statement: 'Hello' })
  expect(isSigned(signIn)).toBe(true)
  expect(Buffer.from(signIn.signedMessage, 'base64').toString()).toBe(
    `desk.test wants you to sign in with your Solana account:\n${certificate.address}\n\nHello\n\nVersion: 1\nNonce: 0123456789`,
  )
  const text = 'desk.test wants you to sign in with your Solana account:\nx'
  await expect(control.signWalletMessage({ text })).rejects.toMatchObject({ code: 'wallet/refused' })
  expect(Object.keys(displayContract)).toContain('readWallet')
  for (const name of Object.keys(walletControlContract)) expect(Object.keys(displayContract)).not.toContain(name)
})

it('[DV61] the same wallet is there after a lock and a restart, and signs for nobody while the device is locked', async () => {
  const control = laptop.control()
  const { address } = await control.readWallet({})
  await control.signWalletMessage({ text: 'early' })
  await control.lockDevice({})
  await expect(control.signWalletMessage({ text: 'late' })).rejects.toMatchObject({ code: 'vault/locked' })
  await expect(control.readWallet({})).rejects.toMatchObject({ code: 'vault/locked' })
  await control.unlockDevice({ passphrase: PASSPHRASE })
  expect((await control.signWalletMessage({ text: 'again' })).address).toBe(address)
  laptop.stop()
  await laptop.start()
  await laptop.control().unlockDevice({ passphrase: PASSPHRASE })
  expect((await laptop.control().readWallet({})).address).toBe(address)
})
