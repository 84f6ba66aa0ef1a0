import { Dialog as BaseDialog } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { IconButton } from './icon-button.tsx'
import './dialog.css'

/** A question that needs an answer before anything else. Where an undo will do, use a toast instead. */
export function Dialog(props: {
  open: boolean
  onClose: () => void
  title: string
  description?: ReactNode
  children?: ReactNode
  /** Buttons, the main one last. */
  actions?: ReactNode
  size?: 'normal' | 'wide'
}) {
  return (
    <BaseDialog.Root open={props.open} onOpenChange={(open) => !open && props.onClose()}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className="ui-scrim" />
        <BaseDialog.Popup className="ui-dialog" data-size={props.size ?? 'normal'}>
          <header>
            <BaseDialog.Title className="ui-dialog-title">{props.title}</BaseDialog.Title>
            <IconButton label="Close" icon={<X aria-hidden="true" />} shortcut="Escape" onClick={props.onClose} />
          </header>
          {props.description && <BaseDialog.Description className="ui-dialog-description">{props.description}</BaseDialog.Description>}
          {props.children}
          {props.actions && <footer>{props.actions}</footer>}
        </BaseDialog.Popup>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  )
}
