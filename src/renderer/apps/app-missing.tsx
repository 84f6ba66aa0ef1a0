import { EmptyState } from '../ui/empty-state.tsx'

/** A tab made by a newer version with an app this one does not have. Its state is kept untouched. */
export function AppMissing({ kind }: { kind: string }) {
  return (
    <EmptyState title={`This version has no app called “${kind}”`}>
      The tab and everything in it are kept. Update Elsewhere on this device to open it here.
    </EmptyState>
  )
}
