import { ChevronDown, Folder, X } from 'lucide-react'
import { type KeyboardEvent, useEffect } from 'react'
import { useDeviceName, useOwnDevice } from '../apps/app-hooks.ts'
import { tildePath } from '../apps/files/home-path.ts'
import { bytesText } from '../apps/plain-words.ts'
import { useHome } from '../apps/use-home.ts'
import { useJobs } from '../desk/jobs-store.ts'
import { clearPlan, useRunPlan } from '../desk/run-plan-store.ts'
import { setShell } from '../desk/shell-store.ts'
import { errorWords } from '../ui/error-words.ts'
import { Field } from '../ui/field.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { MenuButton } from '../ui/menu.tsx'
import { frontCommands, frontFolder, openFolders } from './front-folder.ts'
import { ASK_AFTER_MS, askPlan, planWords, runsAs } from './run-plan.ts'
import { runPlanned } from './run-there.ts'

/** Earlier commands offered while nothing is typed. */
const MAX_RECENT = 4

/**
 * Says what a command is, while it is typed, and lets the tiles below say where it could run. Enter starts it where
 * placement says (or where it was dropped), a tile where the person says. Nothing runs before that.
 */
export function CommandField() {
  const own = useOwnDevice()
  const { home } = useHome(own)
  const { line, answer, asking, error, target, chosenFolder, folder, lacksProgram } = useRunPlan()
  const shownFolder = chosenFolder ?? (line === '' ? frontFolder(own, home) : folder) ?? home
  useEffect(() => {
    if (line.trim() === '' || lacksProgram) return
    const leaving = new AbortController()
    const at = chosenFolder ?? frontFolder(own, home) ?? home ?? '/'
    const timer = window.setTimeout(() => void askPlan(own, line.trim(), at, leaving.signal), ASK_AFTER_MS)
    return () => {
      clearTimeout(timer)
      leaving.abort()
    }
  }, [line, own, home, chosenFolder, lacksProgram])

  const type = (text: string) =>
    text.trim() === '' && chosenFolder === undefined
      ? clearPlan()
      : useRunPlan.setState({ line: text, lacksProgram: false, answer: undefined, error: undefined, asking: text.trim() !== '' })
  const start = () => {
    if (!answer || folder === undefined || (target === undefined && answer.device === undefined)) return
    void runPlanned({ line: line.trim(), folder, answer }, target === undefined ? 'best' : { device: target })
  }
  const handleKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter') start()
    else if (event.key === 'Escape' && line !== '') clearPlan()
    else if (event.key === 'Escape') {
      clearPlan()
      return setShell({ elsewhereOpen: false })
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div className="run-field">
      <Field
        label="Run a command elsewhere"
        labelHidden
        placeholder="Run elsewhere…"
        className="run-command"
        value={line}
        onChange={(event) => type(event.target.value)}
        onKeyDown={handleKey}
      />
      <div className="run-place">
        <FolderChoice own={own} home={home} folder={shownFolder} bytes={answer?.folderBytes} />
        {target !== undefined && <Target device={target} />}
      </div>
      {line === '' && <Recent onChoose={type} />}
      <div className="run-words" role="status">
        {answer ? (
          <>
            <strong>{planWords(answer)}</strong>
            <span>{answer.classification.reason}</span>
            {answer.learned && <span>{answer.learned.words}</span>}
            <span>{runsAs(answer.classification) === 'job' ? answer.reason : 'Talks with you: opens a terminal there'}</span>
          </>
        ) : error !== undefined ? (
          <span>{errorWords(error)}</span>
        ) : (
          line.trim() !== '' && (
            <span>{lacksProgram ? 'Which program shall take it? Type it first' : asking && 'Asking your devices…'}</span>
          )
        )}
      </div>
    </div>
  )
}

/** Whose files it works on: the folder in front, unless another is chosen here or was dropped. */
function FolderChoice(props: { own: string; home: string | undefined; folder: string | undefined; bytes: number | undefined }) {
  const { folder, home } = props
  if (folder === undefined) return null
  const words = tildePath(folder, home)
  return (
    <MenuButton
      className="run-folder"
      label={`Folder it works on: ${words}`}
      entries={() =>
        openFolders(props.own, home).map((path) => ({
          label: tildePath(path, home),
          checked: path === folder,
          onSelect: () => useRunPlan.setState({ chosenFolder: path, answer: undefined }),
        }))
      }
    >
      <Folder aria-hidden="true" />
      <span>{words}</span>
      {props.bytes !== undefined && props.bytes > 0 && <small className="numbers">{bytesText(props.bytes)}</small>}
      <ChevronDown aria-hidden="true" />
    </MenuButton>
  )
}

function Target({ device }: { device: string }) {
  const name = useDeviceName(device)
  return (
    <span className="run-target">
      on {name}
      <IconButton
        size="small"
        label={`Not on ${name}: wherever it suits`}
        icon={<X aria-hidden="true" />}
        onClick={() => useRunPlan.setState({ target: undefined })}
      />
    </span>
  )
}

/** What is likely meant: the selection or the last command of the terminal in front, and commands that were jobs before. */
function Recent({ onChoose }: { onChoose: (line: string) => void }) {
  const jobs = useJobs((state) => state.jobs)
  const lines = [...new Set([...frontCommands(), ...jobs.map(({ commandLine }) => commandLine)])].slice(0, MAX_RECENT)
  if (lines.length === 0) return null
  return (
    <div className="run-recent" role="group" aria-label="Commands to run">
      {lines.map((line) => (
        <button
          key={line}
          type="button"
          title={line}
          onClick={() => {
            onChoose(line)
            document.querySelector<HTMLElement>('.run-command input')?.focus()
          }}
        >
          {line}
        </button>
      ))}
    </div>
  )
}
