import type { ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Segmented } from '../../ui/segmented.tsx'

export interface GrantDialogProps {
  readonly title: string
  readonly description?: string | undefined
  /** What gives it; absent: there is nothing to give, and the dialog says so. */
  readonly act?: { readonly label: string; readonly variant: 'primary' | 'danger'; readonly disabled?: boolean; run(): unknown } | undefined
  readonly busy: boolean
  readonly error: string | undefined
  onClose(): void
  readonly children?: ReactNode
}

/** What all dialogs that give something look like: choices below each other, what went wrong, and the deed. */
export function GrantDialog({ title, description, act, busy, error, onClose, children }: GrantDialogProps) {
  return (
    <Dialog
      open
      onClose={onClose}
      size="wide"
      title={title}
      description={description}
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            {act ? 'Cancel' : 'Close'}
          </Button>
          {act && (
            <Button variant={act.variant} busy={busy} disabled={act.disabled} onClick={() => void act.run()}>
              {act.label}
            </Button>
          )}
        </>
      }
    >
      {act && (
        <div className="grants-give">
          {children}
          {error && (
            <p role="alert" className="grants-error">
              {error}
            </p>
          )}
        </div>
      )}
    </Dialog>
  )
}

/** One choice of such a dialog, below its name. */
export function GrantChoice<Value extends string>(props: {
  readonly title: string
  readonly value: Value
  readonly options: readonly { readonly value: Value; readonly label: string }[]
  readonly onChange: (value: Value) => void
}) {
  return (
    <div>
      <h4>{props.title}</h4>
      <Segmented label={props.title} value={props.value} options={props.options} onChange={props.onChange} />
    </div>
  )
}
