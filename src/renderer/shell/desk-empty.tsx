import { useDesk } from '../desk/desk-store.ts'
import { APPS } from '../apps/app-registry.ts'
import { shownWindows } from '../window/use-places.ts'
import { openApp } from '../window/open-app.ts'

const OFFERED = ['terminal', 'editor', 'files', 'web'] as const

/** An activity with nothing on the desk: says so and offers what one would want. */
export function DeskEmpty() {
  const empty = useDesk((state) => state.session !== undefined && shownWindows(state.session).length === 0)
  const name = useDesk((state) => state.session?.activities[state.session.currentActivity]?.name ?? '')
  if (!empty) return null
  return (
    <div className="desk-empty">
      <p>Nothing is open in “{name}”.</p>
      <div className="desk-empty-apps">
        {OFFERED.map((kind) => {
          const { icon: Icon, title } = APPS[kind]
          return (
            <button key={kind} type="button" className="desk-empty-app" onClick={() => openApp(kind)}>
              <Icon aria-hidden="true" />
              {title}
            </button>
          )
        })}
      </div>
    </div>
  )
}
