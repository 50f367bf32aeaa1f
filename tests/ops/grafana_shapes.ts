// What a dashboard is made of, in the types that Grafana publishes: tests/ops/test_grafana.py makes a JSON schema of it.
import type { Dashboard } from '@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

export interface Shapes {
  dashboard: Dashboard;
  stat: stat.Options;
  table: table.Options;
  table_custom: Partial<table.FieldConfig>;
  timeseries: timeseries.Options;
  timeseries_custom: timeseries.FieldConfig;
}
