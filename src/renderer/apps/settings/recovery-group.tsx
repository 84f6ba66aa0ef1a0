import { FileDown, KeyRound, Printer } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { MadeKit } from '../../../device/trust/recovery-contract.ts'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { printPage, saveFile } from '../../ui/save-file.ts'
import { agoText } from '../../screens/plain-time.ts'
import { useNow } from '../app-hooks.ts'
import { Strip } from '../strip.tsx'
import { Group, Row } from './group.tsx'
import { PassphraseDialog } from './passphrase-dialog.tsx'

interface Recovery {
  readonly possible: boolean
  readonly lastMadeAtMs?: number | undefined
  readonly missing: readonly string[]
}

/** The way back when every device is lost: a file and words on paper. */
export function RecoveryGroup() {
  const client = useClient()
  const now = useNow(60_000)
  const [recovery, setRecovery] = useState<Recovery>()
  const [making, setMaking] = useState(false)
  useEffect(() => {
    if (!making) client?.readRecovery({}).then(setRecovery, () => setRecovery(undefined))
  }, [client, making])
  if (!recovery) return null
  const { possible, lastMadeAtMs, missing } = recovery
  return (
    <Group title="If all devices are lost">
      <Row
        label="Recovery kit"
        hint={
          possible
            ? lastMadeAtMs === undefined
              ? 'A file and words on paper that bring you and your desk back on a bare machine. None was made here yet.'
              : `Made ${agoText(lastMadeAtMs, now)}. Each kit goes on working; make a new one when your devices change.`
            : 'Your person key lies on the device where you first set up Elsewhere. Make the kit there.'
        }
      >
        {possible && (
          <Button icon={<KeyRound aria-hidden="true" />} onClick={() => setMaking(true)}>
            Make a kit…
          </Button>
        )}
      </Row>
      {missing.length > 0 && (
        <Strip kind="unsafe">
          The last kit does not know {missing.join(', ')}. If only {missing.length === 1 ? 'that one' : 'those'} were left, it could not
          bring your desk: make a new one.
        </Strip>
      )}
      {making && <KitDialog onClose={() => setMaking(false)} />}
    </Group>
  )
}

function KitDialog({ onClose }: { onClose: () => void }) {
  const [kit, setKit] = useState<MadeKit>()
  const [saved, setSaved] = useState(false)
  if (!kit) {
    return (
      <PassphraseDialog
        title="Make a recovery kit"
        description="You get a file and fourteen words. Whoever has both is you: keep them in two places, such as a USB stick and a drawer. One without the other is worth nothing."
        action="Make it"
        onPassphrase={async (passphrase) => setKit(await clientNow().makeRecoveryKit({ passphrase }))}
        onClose={onClose}
      />
    )
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title="Your recovery kit"
      description="The words are shown this once. Print or write them down, save the file somewhere else, and you can close this."
      size="wide"
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            {saved ? 'Done' : 'Throw it away'}
          </Button>
          <Button icon={<Printer aria-hidden="true" />} onClick={() => printPage(kit.page)}>
            Print the words
          </Button>
          <Button
            variant="primary"
            icon={<FileDown aria-hidden="true" />}
            onClick={() => {
              saveFile(kit.fileName, kit.file)
              setSaved(true)
            }}
          >
            Save the file
          </Button>
        </>
      }
    >
      <ol className="recovery-words" aria-label="Recovery words">
        {kit.words.map((word, index) => (
          <li key={`${index + 1} ${word}`}>{word}</li>
        ))}
      </ol>
      <p className="settings-hint">
        Your desk comes back from {kit.devices.join(', ')}, if {kit.devices.length === 1 ? 'it' : 'any of them'} can still be reached.
      </p>
    </Dialog>
  )
}
