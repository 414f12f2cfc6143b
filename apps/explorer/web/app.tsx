import { Suspense, useEffect, useRef } from "react";
import { Route, Switch, useLocation } from "wouter";
import { Skeleton } from "./components/states.tsx";
import { ErrorBoundary } from "./layout/error-boundary.tsx";
import { Shell } from "./layout/shell.tsx";
import { NotFound, ROUTES } from "./routes.tsx";

/** The frame with the page of the current path. */
export function App() {
  const [path] = useLocation();
  useFocusOnNavigation(path);
  return (
    <Shell>
      <ErrorBoundary key={path}>
        <Suspense fallback={<Skeleton lines={8} />}>
          <Switch>
            {ROUTES.map(({ path: pattern, Page }) => (
              <Route key={pattern} path={pattern} component={Page} />
            ))}
            <Route component={NotFound} />
          </Switch>
        </Suspense>
      </ErrorBoundary>
    </Shell>
  );
}

/** Another page begins at its top, and screen readers hear of it. */
function useFocusOnNavigation(path: string): void {
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  }, [path]);
}
