import { Copy, RotateCw } from 'lucide-react'
import { useState } from 'react'
import { errorWords } from '../../ui/error-words.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { useDoor } from '../../desk/door-store.ts'
import { Button } from '../../ui/button.tsx'
import { showToast } from '../../ui/toast.tsx'
import { Group, Row } from './group.tsx'

/** What this is, by whom, and what is going on inside. */
export function AboutPage() {
  const version = useDoor((state) => state.door?.version ?? '')
  const [notice, setNotice] = useState<string>()
  const [debug, setDebug] = useState<string>()
  const readDebug = () =>
    clientNow()
      .debugSnapshot({})
      .then(
        ({ text }) => setDebug(text),
        (error: unknown) => showToast({ severity: 'error', title: 'The device did not answer', body: errorWords(error) }),
      )
  return (
    <>
      <Group title="Elsewhere">
        <Row label="Version">
          <span className="numbers">{version}</span>
        </Row>
        <Row label="Licence">Apache-2.0</Row>
        <Row label="Built on the work of others" hint="Names and licences of everything inside.">
          <Button
            onClick={() =>
              notice === undefined ? void import('../../../../NOTICE?raw').then((file) => setNotice(file.default)) : setNotice(undefined)
            }
          >
            {notice === undefined ? 'Show licences' : 'Hide licences'}
          </Button>
        </Row>
        {notice !== undefined && <Text text={notice} label="Licences" />}
      </Group>
      <Group
        title="Looking inside"
        hint="What `elsewhere debug` prints: peers, links, documents, queues. Names and addresses are in it, no content; read it before you pass it on."
      >
        <Row label="Snapshot of this device">
          <Button icon={<RotateCw aria-hidden="true" />} onClick={() => void readDebug()}>
            {debug === undefined ? 'Take one' : 'Take another'}
          </Button>
          {debug !== undefined && (
            <Button icon={<Copy aria-hidden="true" />} onClick={() => void copy(debug)}>
              Copy
            </Button>
          )}
        </Row>
        {debug !== undefined && <Text text={debug} label="Snapshot" />}
      </Group>
    </>
  )
}

function Text({ text, label }: { text: string; label: string }) {
  return (
    <pre className="settings-text" tabIndex={0} aria-label={label}>
      {text}
    </pre>
  )
}

async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text).then(
    () => showToast({ severity: 'done', title: 'Copied' }),
    (error: unknown) => showToast({ severity: 'warn', title: 'Could not copy', body: errorWords(error) }),
  )
}
