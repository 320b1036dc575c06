// Draws a component again only when `same` says that its properties differ.
import { Component, h, type ComponentType } from 'preact';

export function memo<P extends object>(view: (props: P) => unknown, same: (before: P, after: P) => boolean): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return !same(this.props as P, next);
    }
    override render() {
      return h(view as ComponentType<P>, this.props as never);
    }
  };
}
