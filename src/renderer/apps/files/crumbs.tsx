import { ChevronRight } from 'lucide-react'
import { Fragment } from 'react'
import { crumbs } from './home-path.ts'

/** The way from the top of the place to the folder that is shown; each step is a button. */
export function Crumbs(props: { path: string | undefined; home: string | undefined; homeName: string; onGo: (path: string) => void }) {
  const { path, home, homeName, onGo } = props
  const list = path === undefined || home === undefined ? [] : crumbs(path, home, homeName)
  return (
    <nav className="files-crumbs app-bar-fill" aria-label="Folder">
      {list.map((crumb, index) => (
        <Fragment key={crumb.path}>
          {index > 0 && <ChevronRight aria-hidden="true" />}
          <button type="button" aria-current={index === list.length - 1 ? 'page' : undefined} onClick={() => onGo(crumb.path)}>
            {crumb.name}
          </button>
        </Fragment>
      ))}
    </nav>
  )
}
