import { Fingerprint } from 'lucide-react'
import { useState } from 'react'
import { clientNow } from '../../desk/app-desk.ts'
import { useDoor } from '../../desk/door-store.ts'
import { dropPasskey, knowsPasskeys, type MadePasskey, makePasskey } from '../../native/passkey.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { Row } from './group.tsx'
import { PassphraseDialog } from './passphrase-dialog.tsx'

/** A fingerprint, a face or a key instead of the passphrase, on this device. */
export function PasskeyRow() {
  const door = useDoor((state) => state.door)
  const [asking, setAsking] = useState<'make' | 'remove'>()
  const passkey = door?.passkey
  if (!knowsPasskeys()) return null
  const remove = async () => {
    setAsking(undefined)
    try {
      await clientNow().forgetPasskey({})
      if (passkey) await dropPasskey(passkey)
    } catch (failure) {
      showToast({ severity: 'error', title: 'The passkey was not removed', body: errorWords(failure) })
    }
  }
  return (
    <>
      <Row
        label="Passkey"
        hint={
          passkey
            ? 'A fingerprint, a face or a security key unlocks this device, beside the passphrase.'
            : 'Unlock this device with a fingerprint, a face or a security key. The passphrase goes on working.'
        }
      >
        {passkey ? (
          <Button onClick={() => setAsking('remove')}>Remove…</Button>
        ) : (
          <Button icon={<Fingerprint aria-hidden="true" />} onClick={() => setAsking('make')}>
            Set up…
          </Button>
        )}
      </Row>
      {asking === 'make' && <MakeDialog names={[door?.personName ?? 'Me', door?.deviceName ?? '']} onClose={() => setAsking(undefined)} />}
      <Dialog
        open={asking === 'remove'}
        onClose={() => setAsking(undefined)}
        title="Remove the passkey?"
        description="It unlocks this device no more. Your passphrase does, and you can set up a passkey again at any time."
        actions={
          <>
            <Button variant="quiet" onClick={() => setAsking(undefined)}>
              Keep it
            </Button>
            <Button variant="primary" onClick={() => void remove()}>
              Remove
            </Button>
          </>
        }
      />
    </>
  )
}

function MakeDialog({ names: [personName, deviceName], onClose }: { names: readonly [string, string]; onClose: () => void }) {
  /** Made already: a slip in the passphrase must not leave a second one behind. */
  const [made, setMade] = useState<MadePasskey>()
  const cancel = () => {
    if (made) void dropPasskey(made)
    onClose()
  }
  const make = async (passphrase: string) => {
    const passkey = made ?? (await makePasskey(personName, deviceName))
    setMade(passkey)
    await clientNow().setPasskey({ passphrase, ...passkey })
    showToast({ severity: 'info', title: 'The passkey unlocks this device from now on' })
    onClose()
  }
  return (
    <PassphraseDialog
      title="Unlock with a passkey"
      description="Your passphrase proves that it is you; then the browser asks for your fingerprint, face or security key. The passkey is good for this device only, and says nothing to any web site."
      action="Set up"
      onPassphrase={make}
      onClose={cancel}
    />
  )
}
