import { Component, type ReactNode } from "react";
import { ErrorState } from "../components/states.tsx";

type State = { readonly error: unknown };

/** A page that fails shows its failure; the frame and the other pages go on. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return <ErrorState error={this.state.error} onRetry={() => this.setState({ error: undefined })} />;
  }
}
