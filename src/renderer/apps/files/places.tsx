import { Plus, Trash2 } from 'lucide-react'
import type { DatasetStatus, PolicyState } from '../../../files/dataset-contract.ts'
import { ELSEWHERE, ELSEWHERE_HOME } from '../../../session/app-state.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { Dot } from '../../ui/dot.tsx'
import { openContextMenu } from '../../ui/menu.tsx'
import { DeviceIcon, ElsewhereIcon, stateWord } from '../device-chooser.tsx'
import { type DatasetDialog, datasetMenu } from './dataset-dialog.tsx'
import { policyTrouble } from './policy-words.ts'
import { unsafeText } from './unsafe-text.ts'

export interface PlacesProps {
  readonly device: string
  readonly path: string | undefined
  readonly datasets: readonly DatasetStatus[]
  readonly onGo: (device: string, path: string | null) => void
  readonly onTrash: (dataset: DatasetStatus) => void
  readonly onDataset: (dialog: DatasetDialog) => void
}

/** Where files can be: the datasets, which are on every device, and the home of each device. */
export function Places({ device, path, datasets, onGo, onTrash, onDataset }: PlacesProps) {
  const rows = useDevices((state) => state.rows)
  const shown =
    datasets.length > 0 ? datasets : [{ dataset: '', name: ELSEWHERE_HOME.slice(1), unsafeVersions: 0, policy: { copies: 1, on: [] } }]
  return (
    <nav className="files-places" aria-label="Places">
      <h3 id="files-places-elsewhere">Elsewhere</h3>
      <ul aria-labelledby="files-places-elsewhere">
        {shown.map(({ dataset, name, unsafeVersions, policy }) => (
          <li key={dataset}>
            <button
              type="button"
              className="files-place"
              aria-current={device === ELSEWHERE && (path === `/${name}` || path?.startsWith(`/${name}/`)) ? 'true' : undefined}
              onClick={() => onGo(ELSEWHERE, `/${name}` === ELSEWHERE_HOME ? null : `/${name}`)}
              onContextMenu={(event) => {
                if (dataset !== '') openContextMenu(event, name, datasetMenu({ dataset, name }, onDataset, `/${name}` === ELSEWHERE_HOME))
              }}
            >
              <ElsewhereIcon />
              <span className="files-place-name">{name}</span>
              {unsafeVersions > 0 && (
                <span className="files-place-count numbers" title={unsafeWords(unsafeVersions, policy)}>
                  <span aria-hidden="true">{unsafeVersions.toLocaleString('en-US')}</span>
                  <Dot meaning="unsafe" hollow />
                  <span className="visually-hidden">{unsafeWords(unsafeVersions, policy)}</span>
                </span>
              )}
            </button>
          </li>
        ))}
        {datasets.length > 0 && (
          <li>
            <button type="button" className="files-place" aria-haspopup="dialog" onClick={() => onDataset({ kind: 'new-dataset' })}>
              <Plus aria-hidden="true" />
              <span className="files-place-name">New data set</span>
            </button>
          </li>
        )}
        {datasets.map((one) => (
          <li key={`trash ${one.dataset}`}>
            <button type="button" className="files-place" aria-haspopup="dialog" onClick={() => onTrash(one)}>
              <Trash2 aria-hidden="true" />
              <span className="files-place-name">{datasets.length > 1 ? `Trash of ${one.name}` : 'Trash'}</span>
            </button>
          </li>
        ))}
      </ul>
      <h3 id="files-places-devices">Devices</h3>
      <ul aria-labelledby="files-places-devices">
        {rows.map((row) => {
          const away = row.state === 'away' || row.state === 'connecting'
          return (
            <li key={row.deviceId}>
              <button
                type="button"
                className="files-place"
                data-away={away || undefined}
                aria-current={row.deviceId === device ? 'true' : undefined}
                onClick={() => onGo(row.deviceId, null)}
              >
                <DeviceIcon platform={row.platform} />
                <span className="files-place-name">{row.name}</span>
                {away && <span className="files-place-note">{stateWord(row)}</span>}
              </button>
            </li>
          )
        })}
      </ul>
    </nav>
  )
}

function unsafeWords(versions: number, policy: PolicyState): string {
  const trouble = policyTrouble(policy)
  return trouble ? `${unsafeText(versions)}: ${trouble}` : unsafeText(versions)
}
