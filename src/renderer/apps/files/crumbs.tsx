import { ChevronRight } from 'lucide-react'
import { Fragment } from 'react'
import { crumbs } from './home-path.ts'

/** The way from home to the folder that is shown; each step is a button. */
export function Crumbs({ path, home, onGo }: { path: string | undefined; home: string | undefined; onGo: (path: string) => void }) {
  const list = path === undefined || home === undefined ? [] : crumbs(path, home, 'Home')
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
