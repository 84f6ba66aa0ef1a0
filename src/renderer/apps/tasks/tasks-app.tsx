import { ChevronDown, ChevronRight, CircleStop, CloudOff, Moon } from 'lucide-react'
import { type KeyboardEvent, useMemo, useState } from 'react'
import { errorWords } from '../../ui/error-words.ts'
import type { ProcessRow } from '../../../jobs/terminal-contract.ts'
import type { AppStateOf } from '../../../session/app-state.ts'
import type { DeviceRow } from '../../../sync/links-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { openContextMenu } from '../../ui/menu.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { useIsLate, useOwnDevice } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { DeviceChooser, DeviceIcon, stateWord } from '../device-chooser.tsx'
import { countText, memoryText, percentText } from '../plain-words.ts'
import { Strip } from '../strip.tsx'
import { type TaskLine, taskLines, taskName, type TaskSort } from './task-rows.ts'
import { useProcesses } from './use-processes.ts'
import './tasks.css'

/** What Elsewhere runs for me, on every device I am linked with. Asks only while it is looked at. */
export default function TasksApp({ state, setState, visible }: AppProps<AppStateOf<'tasks'>>) {
  const rows = useDevices((devices) => devices.rows)
  const own = useOwnDevice()
  const [sort, setSort] = useState<TaskSort>('cpu')
  const shown = state.device === null ? rows : rows.filter((row) => row.deviceId === state.device)
  return (
    <div className="app tasks">
      <div className="app-bar" role="toolbar" aria-label="Tasks">
        <DeviceChooser
          device={state.device ?? own}
          label="Device"
          onChoose={(device) => setState({ device })}
          all={{ chosen: state.device === null, onChoose: () => setState({ device: null }) }}
        />
        <span className="app-bar-fill" />
        <Segmented
          label="Sort by"
          value={sort}
          onChange={setSort}
          options={[
            { value: 'cpu', label: 'Processor' },
            { value: 'memory', label: 'Memory' },
            { value: 'name', label: 'Name' },
          ]}
        />
      </div>
      <div className="app-body tasks-body">
        {shown.map((row) => (
          <Machine key={row.deviceId} row={row} sort={sort} visible={visible} />
        ))}
      </div>
    </div>
  )
}

function Machine({ row, sort, visible }: { row: DeviceRow; sort: TaskSort; visible: boolean }) {
  const reachable = row.state === 'self' || row.state === 'linked'
  const { load, processes, error } = useProcesses(row.deviceId, visible, reachable)
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set())
  const lines = useMemo(() => taskLines(processes, sort, folded), [processes, sort, folded])
  const late = useIsLate(reachable && !load && error === undefined)
  const fold = (pid: number) => {
    const next = new Set(folded)
    if (!next.delete(pid)) next.add(pid)
    setFolded(next)
  }
  return (
    <section className="tasks-machine" aria-label={row.name}>
      <header>
        <DeviceIcon platform={row.platform} />
        <h3>{row.name}</h3>
        <span className="tasks-state">{stateWord(row)}</span>
        <span className="app-bar-fill" />
        {load && (
          <>
            <Meter label="Processor" value={load.cpu} text={`${percentText(load.cpu)} of ${countText(load.cores, 'core')}`} />
            <Meter
              label="Memory"
              value={load.memoryBytes / Math.max(1, load.memoryTotalBytes)}
              text={`${memoryText(load.memoryBytes)} of ${memoryText(load.memoryTotalBytes)}`}
            />
          </>
        )}
      </header>
      {!reachable && processes.length === 0 && (
        <p className="tasks-quiet">
          <CloudOff aria-hidden="true" />
          {row.state === 'connecting' ? 'Being connected to.' : 'Away.'} What runs there goes on while it is switched on, and is shown when
          it is back.
        </p>
      )}
      {!reachable && processes.length > 0 && <Strip kind="away">{row.name} is away. These ran there when it was last seen.</Strip>}
      {error !== undefined && reachable && <Strip kind="lost">Could not be read just now: {errorWords(error)}</Strip>}
      {late && <Skeleton lines={3} label={`Reading the tasks of ${row.name}`} />}
      {load && processes.length === 0 && reachable && (
        <EmptyState icon={<Moon aria-hidden="true" />} title="Nothing runs here">
          Programs started in a terminal on {row.name} appear here.
        </EmptyState>
      )}
      {lines.length > 0 && <Table row={row} lines={lines} folded={folded} onFold={fold} />}
    </section>
  )
}

function Meter({ label, value, text }: { label: string; value: number; text: string }) {
  const percent = Math.round(100 * Math.max(0, Math.min(1, value)))
  return (
    <span
      className="tasks-meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={text}
    >
      <span className="numbers">{text}</span>
      <span className="tasks-meter-bar" aria-hidden="true">
        <span style={{ width: `${percent}%` }} />
      </span>
    </span>
  )
}

function Table({
  row,
  lines,
  folded,
  onFold,
}: {
  row: DeviceRow
  lines: readonly TaskLine[]
  folded: ReadonlySet<number>
  onFold: (pid: number) => void
}) {
  const [cursor, setCursor] = useState<number>()
  const at = Math.max(
    0,
    lines.findIndex((line) => line.process.pid === cursor),
  )
  const handleKey = (event: KeyboardEvent<HTMLElement>) => {
    const line = lines[at]
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 }[event.key]
    if (to !== undefined && lines[to]) {
      setCursor(lines[to].process.pid)
      event.currentTarget.querySelectorAll<HTMLElement>('[data-line]')[to]?.focus()
    } else if (line && event.key === 'ArrowLeft' && line.children > 0 && !folded.has(line.process.pid)) onFold(line.process.pid)
    else if (line && event.key === 'ArrowRight' && folded.has(line.process.pid)) onFold(line.process.pid)
    else if (line && event.key === 'Delete') void end(row, line.process, false)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <table className="tasks-table" role="treegrid" aria-label={`Tasks on ${row.name}`} onKeyDown={handleKey}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Process</th>
          <th scope="col">Processor</th>
          <th scope="col">Memory</th>
          <th scope="col">
            <span className="visually-hidden">End</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {lines.map(({ process, depth, children, totalCpu, totalMemoryBytes }, index) => {
          const isFolded = folded.has(process.pid)
          const name = taskName(process.command)
          return (
            <tr
              key={process.pid}
              data-line=""
              aria-level={depth + 1}
              aria-expanded={children > 0 ? !isFolded : undefined}
              tabIndex={index === at ? 0 : -1}
              onFocus={() => setCursor(process.pid)}
              onContextMenu={(event) =>
                openContextMenu(event, name, [
                  { label: 'Ask it to end', shortcut: 'Delete', onSelect: () => void end(row, process, false) },
                  { label: 'End it at once', danger: true, onSelect: () => void end(row, process, true) },
                ])
              }
            >
              <td>
                <span className="tasks-name" style={{ paddingLeft: depth * 16 }}>
                  {children > 0 ? (
                    <button
                      type="button"
                      tabIndex={-1}
                      aria-label={isFolded ? `Unfold ${name}` : `Fold ${name}`}
                      onClick={() => onFold(process.pid)}
                    >
                      {isFolded ? <ChevronRight aria-hidden="true" /> : <ChevronDown aria-hidden="true" />}
                    </button>
                  ) : (
                    <span className="tasks-indent" />
                  )}
                  <span className="tasks-title">{name}</span>
                  <span className="tasks-command" title={process.command}>
                    {process.command}
                  </span>
                </span>
              </td>
              <td className="numbers">{process.pid}</td>
              <td className="numbers">{percentText(isFolded ? totalCpu : process.cpu)}</td>
              <td className="numbers">{memoryText(isFolded ? totalMemoryBytes : process.memoryBytes)}</td>
              <td>
                <IconButton
                  size="small"
                  danger
                  label={`End ${name}`}
                  tabIndex={-1}
                  icon={<CircleStop aria-hidden="true" />}
                  onClick={() => void end(row, process, false)}
                />
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

/** Asks a process to end; if it does not want to, ending it by force is one press away. Only that takes what it had not saved. */
async function end(row: DeviceRow, process: ProcessRow, force: boolean): Promise<void> {
  const name = taskName(process.command)
  try {
    await clientNow().endProcess({ device: row.deviceId, pid: process.pid, force })
    showToast({
      title: force ? `Ended ${name}` : `Asked ${name} to end`,
      body: `Process ${process.pid} on ${row.name}.`,
      ...(!force && { action: { label: 'Force it', onSelect: () => void end(row, process, true) } }),
    })
  } catch (error) {
    showToast({ severity: 'error', title: `${name} could not be ended`, body: errorWords(error) })
  }
}
