package omero

import (
	"context"
	"fmt"
	"slices"
)

// holders are the members by which other objects keep one of a class in use.
var holders = map[Kind][][2]string{
	KindInstrument:        {{"Image", "instrument"}},
	KindMicroscope:        {{"Instrument", "microscope"}},
	KindObjective:         {{"ObjectiveSettings", "objective"}, {"OTF", "objective"}},
	KindDetector:          {{"DetectorSettings", "detector"}},
	KindLightSource:       {{"LightSettings", "lightSource"}, {"Laser", "pump"}},
	KindFilter:            {{"FilterSetExcitationFilterLink", "child"}, {"FilterSetEmissionFilterLink", "child"}, {"LightPathExcitationFilterLink", "child"}, {"LightPathEmissionFilterLink", "child"}},
	KindDichroic:          {{"FilterSet", "dichroic"}, {"LightPath", "dichroic"}},
	KindFilterSet:         {{"LogicalChannel", "filterSet"}, {"OTF", "filterSet"}},
	KindOTF:               {{"LogicalChannel", "otf"}},
	KindTransmission:      {{"Filter", "transmittanceRange"}},
	KindObjectiveSettings: {{"Image", "objectiveSettings"}},
	KindEnvironment:       {{"Image", "imagingEnvironment"}},
	KindStageLabel:        {{"Image", "stageLabel"}},
	KindExperiment:        {{"Image", "experiment"}},
	KindManipulation:      {{"LightSettings", "microbeamManipulation"}},
	KindDetectorSettings:  {{"LogicalChannel", "detectorSettings"}},
	KindLightSettings:     {{"LogicalChannel", "lightSourceSettings"}},
	KindLightPath:         {{"LogicalChannel", "lightPath"}},
	KindLogicalChannel:    {{"Channel", "logicalChannel"}},
}

// Unreferenced returns those of the objects of a class of acquisition metadata
// that nothing else names any more. Of light sources the kind is
// KindLightSource.
func (c *Client) Unreferenced(ctx context.Context, kind Kind, ids []int64) ([]int64, error) {
	by, ok := holders[kind]
	if !ok {
		return nil, failure(Invalid, "look for references", "to a "+string(kind))
	}
	ids = unique(ids)
	for _, h := range by {
		rows, err := c.rowsFor(ctx, fmt.Sprintf(`select distinct x.%[2]s.id from %[1]s x where x.%[2]s.id in (:ids) order by x.%[2]s.id`, h[0], h[1]), ids)
		if err != nil {
			return nil, fmt.Errorf("references to a %s: %w", kind, err)
		}
		for _, r := range rows {
			ids = slices.DeleteFunc(ids, func(id int64) bool { return id == r.id(0) })
		}
	}
	return ids, nil
}
