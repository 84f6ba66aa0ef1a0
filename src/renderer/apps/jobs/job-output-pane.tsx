import { ArrowDownToLine, Search } from 'lucide-react'
import { type KeyboardEvent, useState } from 'react'
import type { OutputStream } from '../../../jobs/job-frames-contract.ts'
import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import { useSession } from '../../desk/desk-store.ts'
import { errorWords } from '../../ui/error-words.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { bytesText } from '../plain-words.ts'
import { FindBar } from '../terminal/find-bar.tsx'
import '../terminal/terminal.css'
import { useOutputScreen } from './use-job-output.ts'

type Shown = 'both' | OutputStream
const STREAMS: readonly { readonly value: Shown; readonly label: string }[] = [
  { value: 'both', label: 'All' },
  { value: 'out', label: 'Output' },
  { value: 'err', label: 'Errors' },
]

/** What a job said, from its start, and what it says now; one of its streams alone if wanted. */
export function JobOutputPane({ info }: { info: JobInfo }) {
  const fontPx = useSession((session) => session.preferences.terminalFontPx)
  const [shown, setShown] = useState<Shown>('both')
  const [finding, setFinding] = useState(false)
  const { place, screen, error } = useOutputScreen(info.job, shown === 'both' ? undefined : shown, fontPx)
  const handleKey = (event: KeyboardEvent) => {
    if (!event.ctrlKey || event.altKey || event.metaKey || event.key.toLowerCase() !== 'f') return
    event.preventDefault()
    event.stopPropagation()
    setFinding(true)
  }
  return (
    <div className="job-output" role="region" aria-label="Output" onKeyDown={handleKey}>
      <div className="job-output-bar">
        <Segmented label="Output shown" value={shown} onChange={setShown} options={STREAMS} />
        <span className="job-quiet numbers">{info.outputBytes === 0 ? 'No output yet' : bytesText(info.outputBytes)}</span>
        <span className="app-bar-fill" />
        <IconButton
          size="small"
          label="Find in the output"
          shortcut="Ctrl+F"
          icon={<Search aria-hidden="true" />}
          onClick={() => setFinding(true)}
        />
        <IconButton
          size="small"
          label="Go to the end"
          shortcut="End"
          icon={<ArrowDownToLine aria-hidden="true" />}
          onClick={() => screen?.scrollToEnd()}
        />
      </div>
      {error !== undefined && <p className="job-quiet">Its output cannot be read just now: {errorWords(error)}</p>}
      <div className="job-output-body">
        <div ref={place} className="terminal-place" />
        {finding && <FindBar screen={screen} label="Find in the output" onClose={() => setFinding(false)} />}
      </div>
    </div>
  )
}
