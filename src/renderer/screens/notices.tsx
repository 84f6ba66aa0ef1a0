import { TriangleAlert } from 'lucide-react'
import type { DoorState } from '../../device/desk/desk-contract.ts'

/** What keeps the device from working well, in its own words. */
export function Notices({ notices }: { notices: DoorState['notices'] }) {
  if (notices.length === 0) return null
  return (
    <ul className="notices" aria-label="About this device">
      {notices.map((notice) => (
        <li key={notice.code} className="notice" data-severity={notice.severity}>
          <TriangleAlert aria-hidden="true" />
          <span>{notice.message}</span>
        </li>
      ))}
    </ul>
  )
}
