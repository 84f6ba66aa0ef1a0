import { Toast as BaseToast } from '@base-ui/react/toast'
import { CircleCheck, CircleX, Info, TriangleAlert, X } from 'lucide-react'
import { IconButton } from './icon-button.tsx'
import './toast.css'

export interface ToastMessage {
  readonly title: string
  readonly body?: string
  readonly severity?: 'info' | 'done' | 'warn' | 'error'
  /** E.g. Undo. The toast closes when it is pressed. */
  readonly action?: { readonly label: string; readonly onSelect: () => void }
}

/** Long enough to read two lines and reach the button; errors stay until closed. */
const TOAST_MS = 6_000

const toasts = BaseToast.createToastManager<{ severity: NonNullable<ToastMessage['severity']> }>()

/** Says something without asking for anything. Warnings and errors interrupt a screen reader; the rest waits its turn. */
export function showToast({ title, body, severity = 'info', action }: ToastMessage): string {
  const id = toasts.add({
    title,
    ...(body !== undefined && { description: body }),
    data: { severity },
    timeout: severity === 'error' ? 0 : TOAST_MS,
    priority: severity === 'error' || severity === 'warn' ? 'high' : 'low',
    ...(action && {
      actionProps: {
        children: action.label,
        onClick: () => {
          toasts.close(id)
          action.onSelect()
        },
      },
    }),
  })
  return id
}

const ICON = { info: Info, done: CircleCheck, warn: TriangleAlert, error: CircleX }

/** Mounted once. */
export function ToastHost() {
  return (
    <BaseToast.Provider toastManager={toasts} limit={3}>
      <BaseToast.Portal>
        <BaseToast.Viewport className="ui-toasts" aria-label="Messages">
          <ToastList />
        </BaseToast.Viewport>
      </BaseToast.Portal>
    </BaseToast.Provider>
  )
}

function ToastList() {
  const { toasts: open } = BaseToast.useToastManager<{ severity: keyof typeof ICON }>()
  return open.map((toast) => {
    const severity = toast.data?.severity ?? 'info'
    const Icon = ICON[severity]
    return (
      <BaseToast.Root key={toast.id} toast={toast} className="ui-toast" data-severity={severity} swipeDirection={['right', 'down']}>
        <BaseToast.Content className="ui-toast-content">
          <Icon aria-hidden="true" className="ui-toast-icon" />
          <div className="ui-toast-text">
            <BaseToast.Title className="ui-toast-title" />
            <BaseToast.Description className="ui-toast-body" />
          </div>
          <BaseToast.Action className="ui-button" data-variant="quiet" />
          <BaseToast.Close render={<IconButton label="Close message" size="small" icon={<X aria-hidden="true" />} />} />
        </BaseToast.Content>
      </BaseToast.Root>
    )
  })
}
