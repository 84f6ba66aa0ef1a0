import { useCallback, useEffect, useState } from 'react'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { type BrowserWallet, useBrowserWallets } from '../../native/browser-wallets.ts'
import { agoText } from '../../screens/plain-time.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { WalletIcon } from '../../ui/wallet-icon.tsx'
import { useNow } from '../app-hooks.ts'
import { Group, Row } from './group.tsx'
import { PassphraseDialog } from './passphrase-dialog.tsx'

interface Listed {
  readonly address: string
  readonly name: string
  readonly addedAtMs: number
}

/** Wallets of browsers that may open a display of this device while the device is open. */
export function WalletsGroup() {
  const client = useClient()
  const now = useNow(60_000)
  const inBrowser = useBrowserWallets()
  const [listed, setListed] = useState<readonly Listed[]>()
  const [adding, setAdding] = useState<BrowserWallet>()
  const [removing, setRemoving] = useState<Listed>()
  const read = useCallback(() => {
    client?.listWallets({}).then(
      ({ wallets }) => setListed(wallets),
      () => setListed(undefined),
    )
  }, [client])
  useEffect(read, [read])
  if (!listed) return null
  const remove = async ({ address }: Listed) => {
    setRemoving(undefined)
    try {
      await clientNow().removeListedWallet({ address })
    } catch (failure) {
      showToast({ severity: 'error', title: 'The wallet may sign in still', body: errorWords(failure) })
    }
    read()
  }
  return (
    <Group
      title="Wallets that may sign in"
      hint="A Solana wallet of your browser opens a display of this device. It shows that it is you and opens no keys: after a restart, or once the device is locked, the passphrase comes first."
    >
      {listed.map((wallet) => (
        <Row key={wallet.address} label={wallet.name} hint={`${shortAddress(wallet.address)}, listed ${agoText(wallet.addedAtMs, now)}`}>
          <Button onClick={() => setRemoving(wallet)}>Remove…</Button>
        </Row>
      ))}
      <Row
        label="Let a wallet sign in"
        hint={
          inBrowser.length === 0
            ? 'This browser has no wallet that can sign in (wallet standard), such as Phantom or Solflare.'
            : 'The wallet asks you to sign a text once; it costs nothing.'
        }
      >
        {inBrowser.map((wallet) => (
          <Button key={wallet.name} icon={<WalletIcon icon={wallet.icon} />} onClick={() => setAdding(wallet)}>
            {wallet.name}…
          </Button>
        ))}
      </Row>
      {adding && (
        <AddDialog
          wallet={adding}
          onClose={() => {
            setAdding(undefined)
            read()
          }}
        />
      )}
      <Dialog
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={`Remove ${removing?.name ?? 'the wallet'}?`}
        description="It opens no display of this device any more, and those that it opened lock at once. The wallet itself stays as it is."
        actions={
          <>
            <Button variant="quiet" onClick={() => setRemoving(undefined)}>
              Keep it
            </Button>
            <Button variant="primary" onClick={() => removing && void remove(removing)}>
              Remove
            </Button>
          </>
        }
      />
    </Group>
  )
}

function AddDialog({ wallet, onClose }: { wallet: BrowserWallet; onClose: () => void }) {
  const add = async (passphrase: string) => {
    const answer = await wallet.signIn(await clientNow().askWalletListing({}))
    await clientNow().addListedWallet({ passphrase, name: wallet.name, answer })
    showToast({ severity: 'info', title: `${wallet.name} may sign in to this device from now on` })
    onClose()
  }
  return (
    <PassphraseDialog
      title={`Let ${wallet.name} sign in?`}
      description="Your passphrase proves that it is you; then the wallet asks you to sign a text. Whoever can use that wallet in a browser on this machine can then open the desk here while the device is open."
      action="List it"
      onPassphrase={add}
      onClose={onClose}
    />
  )
}

const shortAddress = (address: string): string => `${address.slice(0, 6)}…${address.slice(-6)}`
