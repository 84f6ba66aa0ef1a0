import { Unplug } from 'lucide-react'
import { EmptyState } from '../ui/empty-state.tsx'
import { Button } from '../ui/button.tsx'
import './screen.css'

/** The device behind this page does not answer and no desk is open yet. Goes away by itself when it does. */
export function DeviceAway({ onRetry }: { onRetry: () => void }) {
  return (
    <div className="screen">
      <main>
        <section className="card" aria-live="polite">
          <EmptyState
            icon={<Unplug aria-hidden="true" />}
            title="Elsewhere is not running on this machine"
            action={
              <Button variant="primary" onClick={onRetry}>
                Try now
              </Button>
            }
          >
            Start it again with <code>npm start</code> or its icon. Everything kept is safe on disk; this page comes back by itself.
          </EmptyState>
        </section>
      </main>
    </div>
  )
}
