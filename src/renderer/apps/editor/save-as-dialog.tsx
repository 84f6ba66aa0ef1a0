import { useEffect, useState } from 'react'
import { ELSEWHERE, ELSEWHERE_HOME } from '../../../session/app-state.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { DeviceChooser } from '../device-chooser.tsx'
import { joinPath } from '../files/home-path.ts'

/** Where a text goes: a device and a path there. Says before writing if something is in the way. */
export function SaveAsDialog(props: {
  device: string
  path: string | null
  onSave: (device: string, path: string, overwrite: boolean) => Promise<boolean>
  onClose: () => void
}) {
  const { onSave, onClose } = props
  const [device, setDevice] = useState(props.device)
  const [path, setPath] = useState(props.path ?? '')
  const [home, setHome] = useState<string>()
  const [taken, setTaken] = useState(false)
  const [busy, setBusy] = useState(false)

  useEffect(() => {
    const leaving = new AbortController()
    const asked =
      device === ELSEWHERE ? Promise.resolve({ path: ELSEWHERE_HOME }) : clientNow().homeFolder({ device }, { signal: leaving.signal })
    asked.then(
      (found) => {
        setHome(found.path)
        setPath((before) => before || joinPath(found.path, 'untitled.txt'))
      },
      () => setHome(undefined), // away: the field says what is needed, saving says what went wrong
    )
    return () => leaving.abort()
  }, [device])

  const absolute = path.startsWith('~/') && home ? joinPath(home, path.slice(2)) : path
  const problem = path !== '' && !absolute.startsWith('/') ? 'Begin with / or ~/.' : undefined
  const save = async (overwrite: boolean) => {
    setBusy(true)
    const done = await onSave(device, absolute, overwrite)
    setBusy(false)
    if (done) onClose()
    else setTaken(true)
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title="Save as"
      description={
        device === ELSEWHERE ? 'The file will be on all your devices.' : 'The file lies on one device; choose Elsewhere to have it on all.'
      }
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            Cancel
          </Button>
          {taken && (
            <Button variant="danger" busy={busy} onClick={() => void save(true)}>
              Replace it
            </Button>
          )}
          <Button
            variant="primary"
            busy={busy}
            aria-disabled={problem !== undefined || path === ''}
            onClick={() => !problem && path !== '' && void save(false)}
          >
            Save
          </Button>
        </>
      }
    >
      <div className="editor-save-as">
        <DeviceChooser
          device={device}
          label="Place"
          withElsewhere
          onChoose={(chosen) => {
            setDevice(chosen)
            setPath('')
            setTaken(false)
          }}
        />
        <Field
          label="Path"
          autoFocus
          value={path}
          error={
            problem ?? (taken ? 'It could not be saved there: a file of that name may be in the way, or the folder is missing.' : undefined)
          }
          hint={home && `Home is ${home}`}
          onChange={(event) => {
            setPath(event.target.value)
            setTaken(false)
          }}
          onKeyDown={(event) => event.key === 'Enter' && !problem && path !== '' && void save(false)}
        />
      </div>
    </Dialog>
  )
}
